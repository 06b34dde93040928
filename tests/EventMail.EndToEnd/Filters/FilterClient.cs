using System.Text;
using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.EndToEnd.Filters;

/// <summary>Sends messages and reads what became of them.</summary>
internal static class FilterClient
{
    /// <summary>From a@example.org, as another server does it.</summary>
    /// <returns>The reply to its end, or the first that is a refusal.</returns>
    public static Task<string> SendAsync(TestServer server, string recipient, string subject, string body) => SendWholeAsync(
        server, recipient,
        $"From: A <a@example.org>\r\nTo: {recipient}\r\nSubject: {subject}\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@example.org>\r\n"
        + $"MIME-Version: 1.0\r\n{(body.StartsWith("Content-", StringComparison.Ordinal) ? "" : "\r\n")}{body}\r\n");

    /// <inheritdoc cref="SendAsync"/>
    public static async Task<string> SendWholeAsync(TestServer server, string recipient, string message)
    {
        await using var client = await ScriptedClient.ConnectAsync(server["smtp"]);
        await client.ExpectMatchAsync("220 .*");
        return await TransferAsync(client, "HELO client.example.org", "MAIL FROM:<a@example.org>", $"RCPT TO:<{recipient}>", "DATA", message + ".");
    }

    /// <summary>From an account to itself.</summary>
    /// <inheritdoc cref="SendAsync"/>
    public static async Task<string> SubmitAsync(TestServer server, string account, string body)
    {
        await using var client = await ScriptedClient.ConnectAsync(server["submission"]);
        await client.ExpectMatchAsync("220 .*");
        await client.SendLineAsync("EHLO client.example.org");
        while (!(await client.ReadLineAsync())!.StartsWith("250 ", StringComparison.Ordinal))
        {
        }
        var plain = Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{account}\0{MailServer.Password}"));
        return await TransferAsync(
            client, $"AUTH PLAIN {plain}", $"MAIL FROM:<{account}>", $"RCPT TO:<{account}>", "DATA", $"From: {account}\r\nTo: {account}\r\nSubject: x\r\n\r\n{body}\r\n.");
    }

    /// <summary>The nth message of a mailbox.</summary>
    public static async Task<string> FetchAsync(TestServer server, string account, string mailbox, int number = 1)
    {
        await using var client = await ImapClient.LoginAsync(server["imap"], account);
        return (await client.FetchAllAsync(mailbox)).Values.ElementAt(number - 1);
    }

    private static async Task<string> TransferAsync(ScriptedClient client, params string[] lines)
    {
        var reply = "";
        foreach (var line in lines)
        {
            reply = (await client.AskAsync(line))!;
            if (reply[0] is '4' or '5')
                break;
        }
        return reply;
    }
}
