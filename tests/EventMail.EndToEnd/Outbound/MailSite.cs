using EventMail.EndToEnd.Clients;
using EventMail.Testing;

namespace EventMail.EndToEnd.Outbound;

/// <summary>The mail server of a domain on a loopback address of its own, with its own data folder: it may be away for a while.</summary>
/// <param name="domain">Its host is `mail` in it.</param>
/// <param name="address">One of 127.0.0.0/8.</param>
/// <param name="port">Where all servers of this DNS take mail, as the world does on port 25.</param>
internal sealed class MailSite(string domain, string address, int port, DnsServer dns) : IAsyncDisposable
{
    private readonly TempFolder _folder = new TempFolder().Passable();
    private TestServer? _server;

    public string Domain => domain;

    public string Address => address;

    public string Host => $"mail.{domain}";

    public TestServer Server => _server ?? throw new InvalidOperationException($"{Host} is away.");

    /// <summary>Where the whole network is checked: nobody is trusted for being on this machine.</summary>
    public async Task StartAsync() => _server = await TestServer.StartAsync(new()
    {
        DataFolder = _folder["data"],
        Settings = OutboundSettings.Of(
            dns, port, $"Hostname={Host}", $"Smtp:Address={address}", $"Smtp:Port={port}", $"Delivery:SourceAddress={address}", "MailAuth:TrustedNetworks="),
    });

    public async Task StopAsync()
    {
        (await Server.StopAsync()).ShouldBe(0);
        await Server.DisposeAsync();
        _server = null;
    }

    /// <summary>Runs a command that has to succeed, and answers its output.</summary>
    public async Task<string> DoAsync(params string[] arguments)
    {
        var result = await Server.RunAsync(arguments);
        result.ExitCode.ShouldBe(0, $"{string.Join(' ', arguments)}: {result.Output}{result.Error}");
        return result.Output;
    }

    public async Task<string> NewAccountAsync(string name)
    {
        await DoAsync("account", "add", $"{name}@{domain}", "--password", MailServer.Password);
        return $"{name}@{domain}";
    }

    /// <summary>A user of this domain writes a message, by msmtp and STARTTLS.</summary>
    public Task SendAsync(string sender, string recipient, string subject, string fields = "") =>
        Msmtp.SendAsync(Server["submission"], sender, recipient, $"From: {sender}\nTo: {recipient}\nSubject: {subject}\n{fields}\nSee the subject.\n");

    /// <summary>Waits for the message in a user's INBOX.</summary>
    public async Task<string> ReceivedAsync(string account, string words)
    {
        await using var imap = await ImapClient.LoginAsync(Server["imap"], account);
        return await imap.WaitForMessageAsync(words);
    }

    /// <summary>Waits for a line of the log that has these words.</summary>
    public Task UntilLoggedAsync(string words) =>
        Waiting.UntilAsync(() => Server.Log.Contains(words, StringComparison.Ordinal), () => Server.Log, words);

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        _folder.Dispose();
    }
}
