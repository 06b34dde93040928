using System.Text.RegularExpressions;
using EventMail.EndToEnd.Clients;
using EventMail.Testing;

namespace EventMail.EndToEnd.Outbound;

/// <summary>A user sends to the world: through the submission port, the queue, the DNS and another server, with every step to be seen.</summary>
public sealed class OutboundStoryTests
{
    [OutboundFact("swaks")]
    public async Task What_swaks_submits_is_in_the_INBOX_on_another_server()
    {
        await using var other = await TestServer.StartAsync(new() { Settings = [.. MailServer.Settings, "Hostname=mx.other.test"] });
        (await other.RunAsync("account", "add", "bob@other.test", "--password", MailServer.Password)).ExitCode.ShouldBe(0);
        await using var dns = await OutboundSettings.DnsAsync("other.test");
        await using var server = await TestServer.StartAsync(new() { Settings = OutboundSettings.Of(dns, other["smtp"].Port, "Log:Format=json", "Log:Level=Trace") });
        var account = await MailServer.NewAccountAsync(server);
        await ClientProgram.RunAsync("swaks",
        [
            "--server", server["submission"].ToString(), "--tls", "--auth", "PLAIN", "--auth-user", account, "--auth-password", MailServer.Password,
            "--from", account, "--to", "bob@other.test", "--header", "Subject: across", "--body", "from one server to the other",
        ]);
        await using var imap = await ImapClient.LoginAsync(other["imap"], "bob@other.test");
        var message = await imap.WaitForMessageAsync();
        message.ShouldContain("from one server to the other");
        message.ShouldContain("Received: from mail.example.test");
        var history = (await server.RunAsync("history", account)).Output;
        history.ShouldContain("bob@other.test");

        // Q-002, "Structured Logging". The message is in the INBOX before the attempt is over here.
        await Waiting.UntilAsync(() => server.Log.Contains("\"Delivered ") && server.Log.Contains("\"items_processed\""), () => server.Log);
        var delivered = server.Log.Split('\n').Last(line => line.Contains("\"Delivered "));
        foreach (var field in new[] { "message_id", "sender", "recipient", "retry_count", "total_duration_ms", "duration_ms", "status" })
        {
            delivered.ShouldContain($"\"{field}\"");
        }

        server.Log.ShouldContain("\"items_pending\"");
        server.Log.ShouldContain("\"items_processed\"");
        server.Log.ShouldContain("\"processing_duration_ms\"");
    }

    [OutboundFact("neomutt", "script")]
    public async Task Mail_to_an_unreachable_domain_shows_its_attempts_and_ends_in_a_notification_that_a_mail_client_shows()
    {
        await using var dns = await OutboundSettings.DnsAsync("away.test");
        var nobody = TestPort.Free();
        await using var server = await TestServer.StartAsync(new()
        {
            Settings = OutboundSettings.Of(dns, nobody, "Delivery:Schedule=500ms 500ms", "Delivery:Jitter=0", "Delivery:CoolDown=1ms", "Log:Format=json", "Log:Level=Debug"),
        });
        var account = await MailServer.NewAccountAsync(server);
        await using (var client = await OutboundClient.LoginAsync(server["submission"], account))
        {
            await client.SendAsync("who@away.test", "lost@example.test");
        }

        await using var imap = await ImapClient.LoginAsync(server["imap"], account);
        var notification = await imap.WaitForMessageAsync();
        notification.ShouldContain("multipart/report");
        notification.ShouldContain("Final-Recipient: rfc822;");
        notification.ShouldContain("Action: failed");
        notification.ShouldContain("Status: 5.4.7");
        notification.ShouldContain("Message-ID: <lost@example.test>");
        var seen = await Neomutt.ShowLastAsync(server["imap"], account);
        seen.ShouldContain("Your message could not be delivered to this recipient.");
        seen.ShouldContain("<who@away.test>");
        seen.ShouldContain("Diagnostic-Code: x-");

        await Waiting.UntilAsync(() => server.Log.Contains("\"Failed for good"), () => server.Log);
        var id = Regex.Match(server.Log, "\"delivery_id\":\"([0-9a-f-]{36})\"").Groups[1].Value;
        var shown = (await server.RunAsync("queue", "show", id)).Output;
        Regex.Count(shown, "mx.away.test").ShouldBeGreaterThanOrEqualTo(3, shown);
        shown.ShouldContain("<who@away.test> failed");
        var history = (await server.RunAsync("history", account)).Output;
        foreach (var attempt in new[] { 1, 2, 3 })
        {
            history.ShouldContain($"attempt {attempt} for <who@away.test> begins");
        }

        history.ShouldContain("failed for <who@away.test>");
        history.ShouldContain("sender told that delivery to <who@away.test> failed");

        // "Structured Logging".
        var lines = server.Log.Split('\n');
        var queued = lines.First(line => line.Contains("\"Queued "));
        queued.ShouldContain("\"message_id\":\"lost@example.test\"");
        queued.ShouldContain($"\"sender\":\"{account}\"");
        queued.ShouldContain("\"recipient_count\":1");
        queued.ShouldContain("\"level\":\"info\"");
        var deferred = lines.First(line => line.Contains("\"Deferred "));
        foreach (var field in new[] { "message_id", "sender", "recipients", "retry_count", "next_retry", "error_msg", "duration_ms", "status" })
        {
            deferred.ShouldContain($"\"{field}\"");
        }

        var calculated = lines.First(line => line.Contains("\"Retry of "));
        foreach (var field in new[] { "message_id", "retry_count", "calculated_delay", "next_retry_time" })
        {
            calculated.ShouldContain($"\"{field}\"");
        }

        var failed = lines.First(line => line.Contains("\"Failed for good"));
        foreach (var field in new[] { "message_id", "sender", "recipients", "retry_count", "error_msg" })
        {
            failed.ShouldContain($"\"{field}\"");
        }
    }
}
