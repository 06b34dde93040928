using System.Net.Sockets;
using EventMail.EndToEnd.Outbound;
using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.EndToEnd;

/// <summary>S-001 and I-001: "Given the server receives SIGTERM".</summary>
public sealed class SeedScenariosShutdownTests
{
    private const string Message = "Subject: in flight\r\n\r\nBody\r\n";

    [Fact]
    public async Task S001_I001_Given_SIGTERM_new_connections_are_refused_transactions_and_commands_completed_and_the_server_exits_cleanly()
    {
        using var folder = new TempFolder().Passable();
        string account;
        await using (var server = await StartAsync(folder))
        {
            account = await MailServer.NewAccountAsync(server);
            await using var smtp = await InDataAsync(server, account);
            await using var submitting = await OutboundClient.LoginAsync(server["submission"], account);
            await submitting.BeginAsync(account);
            await using var appending = await ImapClient.LoginAsync(server["imap"], account);
            await appending.Script.SendLineAsync($"x APPEND INBOX {{{Message.Length}}}");
            await appending.Script.ExpectMatchAsync(@"\+.*");
            await using var idle = await ImapClient.LoginAsync(server["imap"], account);
            await idle.RunAsync("SELECT INBOX");
            await idle.Script.SendLineAsync("y IDLE");
            await idle.Script.ExpectMatchAsync(@"\+.*");

            server.Signal("TERM");
            await idle.Script.ExpectMatchAsync(@"\* BYE .*");
            await ShouldRefuseAsync(server, "smtp");
            await ShouldRefuseAsync(server, "submission");
            await ShouldRefuseAsync(server, "imap");

            await smtp.SendLineAsync(Message + ".");
            await smtp.ExpectMatchAsync("250 2.0.0 Message accepted for delivery.*");
            await smtp.ExpectMatchAsync("421 .*");
            await smtp.ExpectClosedAsync();
            await submitting.EndAsync(Message);
            await submitting.Script.ExpectMatchAsync("421 .*");
            await submitting.Script.ExpectClosedAsync();
            await appending.Script.SendLineAsync(Message);
            // The others' messages may be told first.
            while ((await appending.Script.ExpectMatchAsync(@"x OK \[APPENDUID \d+ \d+\] .*|\* \d+ (EXISTS|RECENT)")).Groups[1].Success)
            {
            }

            await appending.Script.ExpectMatchAsync(@"\* BYE .*");
            await appending.Script.ExpectClosedAsync();
            (await server.WaitForExitAsync()).ShouldBe(0);
            // An attempt of ours to connect may have been taken, and seen off, before the port was closed.
            server.Log.ShouldMatch("smtp server shutdown: [1-9][0-9]* active sessions completed");
            server.Log.ShouldMatch("submission server shutdown: [1-9][0-9]* active sessions completed");
            server.Log.ShouldContain("imap server shutdown: ");
            server.Log.ShouldNotContain("was cut off");
        }

        await using var next = await StartAsync(folder);
        await using var imap = await ImapClient.LoginAsync(next["imap"], account);
        var messages = await imap.FetchAllAsync("INBOX");
        messages.Count.ShouldBe(3);
        messages.Values.ShouldAllBe(message => message.Contains("Subject: in flight\r\n", StringComparison.Ordinal));
        messages.Values.ShouldAllBe(message => message.EndsWith("\r\n\r\nBody\r\n", StringComparison.Ordinal));
        (await next.StopAsync()).ShouldBe(0);
    }

    private static Task<TestServer> StartAsync(TempFolder folder) =>
        TestServer.StartAsync(new() { DataFolder = folder["data"], Settings = MailServer.Settings });

    // A session whose transaction is under way: the 354 has been said.
    private static async Task<ScriptedClient> InDataAsync(TestServer server, string account)
    {
        var smtp = await ScriptedClient.ConnectAsync(server["smtp"]);
        await smtp.ExpectMatchAsync("220 .*");
        foreach (var line in new[] { "HELO client.example.org", $"MAIL FROM:<{Delivery.Sender}>", $"RCPT TO:<{account}>" })
        {
            await smtp.SendLineAsync(line);
            await smtp.ExpectMatchAsync("250 .*");
        }

        await smtp.SendLineAsync("DATA");
        await smtp.ExpectMatchAsync("354 .*");
        return smtp;
    }

    // The port closes soon after the signal, not with it.
    private static async Task ShouldRefuseAsync(TestServer server, string listener)
    {
        for (var deadline = DateTime.UtcNow + Waiting.Limit; ; await Task.Delay(20))
        {
            try
            {
                await (await ScriptedClient.ConnectAsync(server[listener])).DisposeAsync();
                DateTime.UtcNow.ShouldBeLessThan(deadline, $"{listener} still takes connections");
            }
            catch (SocketException error)
            {
                error.SocketErrorCode.ShouldBe(SocketError.ConnectionRefused);
                return;
            }
        }
    }
}
