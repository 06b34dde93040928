using System.Globalization;
using System.Net;

namespace EventMail.Protocols.Dns;

/// <summary>What resolv.conf(5) says. Lines and options that mail has no use for (search, ndots, …) are passed over.</summary>
internal sealed record ResolvConf
{
    public const int MaxServers = 8;

    /// <summary>As resolv.conf(5) caps them.</summary>
    public const int MaxTimeoutSeconds = 30;

    public const int MaxAttempts = 5;

    private const int Port = 53;

    public IReadOnlyList<IPEndPoint> Servers { get; private init; } = [];

    public TimeSpan? Timeout { get; private init; }

    public int? Attempts { get; private init; }

    public bool TrustAd { get; private init; }

    /// <summary>Each question begins with another server.</summary>
    public bool Rotate { get; private init; }

    /// <summary>TCP from the start (`use-vc`).</summary>
    public bool TcpOnly { get; private init; }

    public static ResolvConf Parse(string text)
    {
        var conf = new ResolvConf();
        foreach (var line in text.Split('\n'))
        {
            if (line.StartsWith('#') || line.StartsWith(';'))
                continue;
            var words = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            switch (words)
            {
                case ["nameserver", var address, ..] when conf.Servers.Count < MaxServers && IPAddress.TryParse(address, out var server):
                    conf = conf with { Servers = [.. conf.Servers, new(server, Port)] };
                    break;
                case ["options", .. var options]:
                    conf = options.Aggregate(conf, Option);
                    break;
            }
        }
        // resolv.conf(5): without a server, the one on this machine.
        return conf.Servers.Count > 0 ? conf : conf with { Servers = [new(IPAddress.Loopback, Port)] };
    }

    private static ResolvConf Option(ResolvConf conf, string option) => option.Split(':', 2) switch
    {
        ["timeout", var seconds] when Number(seconds) is { } number => conf with { Timeout = TimeSpan.FromSeconds(Math.Clamp(number, 1, MaxTimeoutSeconds)) },
        ["attempts", var times] when Number(times) is { } number => conf with { Attempts = Math.Clamp(number, 1, MaxAttempts) },
        ["trust-ad"] => conf with { TrustAd = true },
        ["rotate"] => conf with { Rotate = true },
        ["use-vc"] => conf with { TcpOnly = true },
        _ => conf,
    };

    private static int? Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
