using System.Security.Cryptography;
using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.EndToEnd.Filters;

/// <summary>The server with real filters.</summary>
public sealed class FilterTests
{
    [NeedsFact("rspamd")]
    public async Task Rspamd_s_verdict_decides_and_is_told_by_history()
    {
        await using var rspamd = await Rspamd.StartAsync();
        await using var server = await StartAsync($"Filters:Rspamd:Url={rspamd.Url}");
        var recipient = await MailServer.NewAccountAsync(server);

        (await SendAsync(server, recipient, "clean", "Hello")).ShouldStartWith("250 ");
        (await SendAsync(server, recipient, "marked", Rspamd.Marked)).ShouldStartWith("250 ");
        (await SendAsync(server, recipient, "rewritten", Rspamd.Rewritten)).ShouldStartWith("250 ");
        (await SendAsync(server, recipient, "rejected", Rspamd.Rejected)).ShouldBe("550 5.7.1 Gtube pattern");

        (await FetchAsync(server, recipient, "INBOX", 1)).ShouldContain("X-Spamd-Result: default: False");
        var marked = await FetchAsync(server, recipient, "Spam", 1);
        marked.ShouldContain("\nX-Spam: Yes\r\n");
        marked.ShouldContain("\nSubject: marked\r\n");
        (await FetchAsync(server, recipient, "Spam", 2)).ShouldContain("\nSubject: *** SPAM *** rewritten\r\n");
        var history = (await server.RunAsync("history", recipient)).Output;
        history.ShouldContain("rspamd no action ");
        history.ShouldContain("rspamd add header 6 of 15 [GTUBE(0)]");
        history.ShouldContain("(rspamd): 550 5.7.1 Gtube pattern");
        history.ShouldContain("rspamd reject 15 of 15 [GTUBE(0)]");
    }

    [NeedsFact("rspamd")]
    public async Task Rspamd_s_milter_does_the_same()
    {
        await using var rspamd = await Rspamd.StartAsync();
        await using var server = await StartAsync($"Filters:Milters=inet:127.0.0.1:{rspamd.Milter}");
        var recipient = await MailServer.NewAccountAsync(server);

        (await SendAsync(server, recipient, "clean", "Hello")).ShouldStartWith("250 ");
        (await SendAsync(server, recipient, "rejected", Rspamd.Rejected)).ShouldBe("554 5.7.1 Gtube pattern");
        (await FetchAsync(server, recipient, "INBOX", 1)).ShouldContain("X-Spamd-Result: default: False");
        (await server.RunAsync("history", recipient)).Output.ShouldContain($"inet:127.0.0.1:{rspamd.Milter} reject");
    }

    [NeedsFact("/usr/sbin/opendkim", "unbound")]
    public async Task What_a_milter_adds_is_in_the_mailbox_and_holds()
    {
        using var key = RSA.Create(2048);
        await using var opendkim = await OpenDkim.StartAsync("example.org", "s1", key.ExportRSAPrivateKeyPem());
        var published = Convert.ToBase64String(key.ExportSubjectPublicKeyInfo());
        // A string of a TXT record has 255 octets at most.
        await using var dns = await DnsServer.StartAsync("example.org", $"s1._domainkey TXT \"v=DKIM1; k=rsa; p={published[..200]}\" \"{published[200..]}\"");
        await using var signing = await StartAsync($"Filters:Milters={opendkim.Address}");
        var recipient = await MailServer.NewAccountAsync(signing);

        (await SendAsync(signing, recipient, "folded\r\n subject", "Hello")).ShouldStartWith("250 ");
        var message = await FetchAsync(signing, recipient, "INBOX", 1);
        message.ShouldContain("DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/simple; d=example.org; s=s1;");
        var signed = message[message.IndexOf("DKIM-Signature:", StringComparison.Ordinal)..];

        // Another server believes it, with what the DNS says of the key.
        await using var checking = await TestServer.StartAsync(new()
        {
            Settings = [.. MailServer.Settings, $"Dns:Servers={dns.Setting}", "MailAuth:TrustedNetworks="],
        });
        var other = await MailServer.NewAccountAsync(checking);
        (await SendWholeAsync(checking, other, signed.TrimEnd('\r', '\n') + "\r\n")).ShouldStartWith("250 ");
        (await checking.RunAsync("history", other)).Output.ShouldContain("dkim pass (example.org)");
    }

    [NeedsFact("rspamd")]
    public async Task Submitted_mail_is_looked_at_where_that_is_wanted()
    {
        await using var rspamd = await Rspamd.StartAsync();
        await using var server = await StartAsync($"Filters:Rspamd:Url={rspamd.Url}", "Filters:Submission=true", "Delivery:Enabled=false");
        var sender = await MailServer.NewAccountAsync(server);

        (await SubmitAsync(Rspamd.Rejected)).ShouldBe("550 5.7.1 Gtube pattern");
        (await SubmitAsync(Rspamd.Marked)).ShouldStartWith("250 ");
        (await FetchAsync(server, sender, "INBOX", 1)).ShouldContain("\nX-Spam: Yes\r\n");
        (await server.RunAsync("history", sender)).Output.ShouldContain("(rspamd): 550 5.7.1 Gtube pattern");

        async Task<string> SubmitAsync(string body)
        {
            await using var client = await ScriptedClient.ConnectAsync(server["submission"]);
            await client.ExpectMatchAsync("220 .*");
            await client.SendLineAsync("EHLO client.example.org");
            while (!(await client.ReadLineAsync())!.StartsWith("250 ", StringComparison.Ordinal))
            {
            }
            var plain = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"\0{sender}\0{MailServer.Password}"));
            (await client.AskAsync($"AUTH PLAIN {plain}"))!.ShouldStartWith("235 ");
            foreach (var line in new[] { $"MAIL FROM:<{sender}>", $"RCPT TO:<{sender}>", "DATA" })
                (await client.AskAsync(line))![0].ShouldBeOneOf('2', '3');
            return (await client.AskAsync($"From: {sender}\r\nTo: {sender}\r\nSubject: x\r\n\r\n{body}\r\n."))!;
        }
    }

    private static Task<TestServer> StartAsync(params string[] settings) => TestServer.StartAsync(new()
    {
        Settings = [.. MailServer.Settings, "MailAuth:Enabled=false", "MailAuth:TrustedNetworks=", "Hostname=mx.example.test", .. settings],
    });

    private static Task<string> SendAsync(TestServer server, string recipient, string subject, string body) => SendWholeAsync(
        server, recipient,
        $"From: A <a@example.org>\r\nTo: {recipient}\r\nSubject: {subject}\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@example.org>\r\n\r\n{body}\r\n");

    private static async Task<string> SendWholeAsync(TestServer server, string recipient, string message)
    {
        await using var client = await ScriptedClient.ConnectAsync(server["smtp"]);
        await client.ExpectMatchAsync("220 .*");
        foreach (var line in new[] { "HELO client.example.org", "MAIL FROM:<a@example.org>", $"RCPT TO:<{recipient}>", "DATA" })
            (await client.AskAsync(line))![0].ShouldBeOneOf('2', '3');
        return (await client.AskAsync(message + "."))!;
    }

    // The nth message of a mailbox.
    private static async Task<string> FetchAsync(TestServer server, string account, string mailbox, int number)
    {
        await using var client = await ImapClient.LoginAsync(server["imap"], account);
        return (await client.FetchAllAsync(mailbox)).Values.ElementAt(number - 1);
    }
}
