using System.Net;
using EventMail.Host.Configuration;
using EventMail.Projections.Accounts;
using EventMail.Protocols.Smtp.Faults;

namespace EventMail.Host.Capture;

/// <summary>What a capturing server needs of its settings before anything is opened.</summary>
internal static class CaptureRules
{
    /// <summary>The settings as capture mode has them.</summary>
    /// <exception cref="SettingsException">They would let strangers in, or somebody else's mail be touched.</exception>
    public static HostSettings Apply(HostSettings settings, string data)
    {
        var faults = new List<string>();
        if (settings.Database.ConnectionString.Length > 0)
            faults.Add("Capture mode has a database of its own: it does not take Database:ConnectionString.");
        foreach (var (name, listener) in Listeners(settings))
        {
            if (listener.Port.IsOn && !settings.Capture.AllowRemote && !IsLoopback(listener.Address))
                faults.Add($"{name}:Address is '{listener.Address}', which other machines reach, and capture mode lets everybody in: use 127.0.0.1, or say Capture:AllowRemote=true.");
        }
        if (settings.Capture.Password.Length > 0 && !OpenLogins.IsPossible(settings.Capture.Password))
            faults.Add("Capture:Password cannot be a password (RFC 8265): it has characters that none may have, or too many.");
        foreach (var url in Words(settings.Capture.Webhooks))
        {
            if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
                faults.Add($"Capture:Webhooks has '{url}': write URLs of http or https.");
        }
        foreach (var (name, fault) in settings.Capture.Faults)
        {
            if (FaultRule.TryCreate(name, DefinitionOf(fault), out var why) is null)
                faults.Add($"Capture:Faults:{name}: {why}.");
        }
        return faults.Count > 0 ? throw new SettingsException(faults) : settings with { Data = data };
    }

    public static FaultTable FaultsOf(CaptureSettings settings)
    {
        var table = new FaultTable(settings.FaultAddresses);
        foreach (var (name, fault) in settings.Faults)
            table.Add(DefinitionOf(fault), out _, name);
        return table;
    }

    public static string[] Words(string text) => text.Split([' ', ',', ';'], StringSplitOptions.RemoveEmptyEntries);

    private static FaultDefinition DefinitionOf(FaultSettings fault) => new(Enum.Parse<FaultStage>(fault.Stage, ignoreCase: true))
    {
        Recipient = NullIfEmpty(fault.Recipient),
        Sender = NullIfEmpty(fault.Sender),
        User = NullIfEmpty(fault.User),
        Code = fault.Code > 0 ? fault.Code : null,
        Text = NullIfEmpty(fault.Text),
        Delay = fault.Delay,
        Drop = fault.Drop,
        Count = fault.Count > 0 ? fault.Count : null,
        Percent = fault.Percent > 0 ? fault.Percent : null,
    };

    private static IEnumerable<(string Name, ListenerSettings Listener)> Listeners(HostSettings settings) =>
    [
        ("Smtp", settings.Smtp), ("Lmtp", settings.Lmtp), ("Submission", settings.Submission), ("Submissions", settings.Submissions),
        ("Imap", settings.Imap), ("Imaps", settings.Imaps), ("Pop3", settings.Pop3), ("Pop3s", settings.Pop3s), ("Capture", settings.Capture),
    ];

    private static bool IsLoopback(string address) => address == "localhost" || (IPAddress.TryParse(address, out var ip) && IPAddress.IsLoopback(ip));

    private static string? NullIfEmpty(string text) => text.Length > 0 ? text : null;
}
