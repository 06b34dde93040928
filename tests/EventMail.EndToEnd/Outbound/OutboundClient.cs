using System.Net;
using System.Text;
using EventMail.Testing.Transcripts;

namespace EventMail.EndToEnd.Outbound;

/// <summary>A mail client that submits one message after the other on one connection.</summary>
internal sealed class OutboundClient : IAsyncDisposable
{
    private readonly ScriptedClient _client;
    private readonly string _account;

    private OutboundClient(ScriptedClient client, string account) => (_client, _account) = (client, account);

    public static async Task<OutboundClient> LoginAsync(IPEndPoint submission, string account)
    {
        var client = new OutboundClient(await ScriptedClient.ConnectAsync(submission), account);
        await client._client.ExpectMatchAsync("220 .*");
        await client.SayAsync("EHLO client.example.org", "250 .*");
        await client.SayAsync($"AUTH PLAIN {Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{account}\0{MailServer.Password}"))}", "235 .*");
        return client;
    }

    /// <summary>What is behind it.</summary>
    public ScriptedClient Script => _client;

    /// <summary>Returns at the 250.</summary>
    public async Task SendAsync(string recipient, string messageId, string body = "Hello.\r\n")
    {
        await BeginAsync(recipient);
        await EndAsync($"To: <{recipient}>\r\nMessage-ID: <{messageId}>\r\nSubject: {messageId}\r\n\r\n{body}");
    }

    /// <summary>Returns at the 354.</summary>
    public async Task BeginAsync(string recipient)
    {
        await SayAsync($"MAIL FROM:<{_account}>", "250 .*");
        await SayAsync($"RCPT TO:<{recipient}>", "250 .*");
        await SayAsync("DATA", "354 .*");
    }

    /// <summary>Sends the message, to which From is added, and returns at the 250.</summary>
    public Task EndAsync(string message) => SayAsync($"From: <{_account}>\r\n{message}.", "250 .*");

    public ValueTask DisposeAsync() => _client.DisposeAsync();

    private async Task SayAsync(string line, string answer)
    {
        await _client.SendLineAsync(line);
        while ((await _client.ExpectMatchAsync($"{answer}|250-.*")).Value.StartsWith("250-", StringComparison.Ordinal))
        {
            // The other lines of the reply.
        }
    }
}
