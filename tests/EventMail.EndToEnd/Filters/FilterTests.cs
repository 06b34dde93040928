using System.Text;
using EventMail.Testing;
using static EventMail.EndToEnd.Filters.FilterClient;

namespace EventMail.EndToEnd.Filters;

/// <summary>The server with real filters.</summary>
public sealed class FilterTests(FilteringServers filtering) : IClassFixture<FilteringServers>
{
    private TestServer Server => filtering.Server;

    private TestServer Milters => filtering.Milters;

    [NeedsFact("rspamd", "unbound")]
    public async Task Rspamd_s_verdict_decides_and_is_told_by_history()
    {
        var recipient = await MailServer.NewAccountAsync(Server);

        (await SendAsync(Server, recipient, "clean", "Hello")).ShouldStartWith("250 ");
        (await SendAsync(Server, recipient, "marked", Rspamd.Marked)).ShouldStartWith("250 ");
        (await SendAsync(Server, recipient, "rewritten", Rspamd.Rewritten)).ShouldStartWith("250 ");
        (await SendAsync(Server, recipient, "rejected", Rspamd.Rejected)).ShouldBe("550 5.7.1 Gtube pattern");
        (await SendAsync(Server, recipient, Rspamd.Later, "Hello")).ShouldBe("451 4.7.1 Come again in a while");

        (await FetchAsync(Server, recipient, "INBOX")).ShouldContain("X-Spamd-Result: default: False");
        var marked = await FetchAsync(Server, recipient, "Spam");
        marked.ShouldContain("\nX-Spam: Yes\r\n");
        marked.ShouldContain("\nSubject: marked\r\n");
        (await FetchAsync(Server, recipient, "Spam", 2)).ShouldContain("\nSubject: *** SPAM *** rewritten\r\n");
        var history = (await Server.RunAsync("history", recipient)).Output;
        history.ShouldContain("rspamd no action ");
        history.ShouldContain("rspamd add header 6 of 15 [GTUBE(0)]");
        history.ShouldContain("(rspamd): 550 5.7.1 Gtube pattern");
        history.ShouldContain("rspamd reject 15 of 15 [GTUBE(0)]");
    }

    [NeedsFact("rspamd", "unbound")]
    public async Task Submitted_mail_is_looked_at_where_that_is_wanted()
    {
        var sender = await MailServer.NewAccountAsync(Server);

        (await SubmitAsync(Server, sender, Rspamd.Rejected)).ShouldBe("550 5.7.1 Gtube pattern");
        (await SubmitAsync(Server, sender, Rspamd.Marked)).ShouldStartWith("250 ");
        (await FetchAsync(Server, sender, "INBOX")).ShouldContain("\nX-Spam: Yes\r\n");
        (await Server.RunAsync("history", sender)).Output.ShouldContain("(rspamd): 550 5.7.1 Gtube pattern");
    }

    [NeedsFact("rspamd", "unbound")]
    public async Task Rspamd_verifies_our_signatures()
    {
        const string User = "joe@signed.example";
        await DoAsync("account", "add", User, "--password", MailServer.Password);
        var records = (await DoAsync("domain", "dkim", "signed.example", "add", "--algorithm", "both")).Split('\n').Where(line => line.Contains("IN TXT", StringComparison.Ordinal));
        await filtering.PublishAsync(new("signed.example", string.Join('\n', records)));
        await DoAsync("domain", "dkim", "signed.example", "activate");
        (await SubmitAsync(Server, User, "One line  with  spaces \r\n\r\nanother\r\n\r\n")).ShouldStartWith("250 ");

        var message = await FetchAsync(Server, User, "INBOX");
        message.Split("DKIM-Signature:").Length.ShouldBe(3);
        (await filtering.Rspamd.SymbolsAsync(message)).ShouldContain("R_DKIM_ALLOW");
        var changed = await filtering.Rspamd.SymbolsAsync(message.Replace("Subject: x", "Subject: y", StringComparison.Ordinal));
        changed.ShouldContain("R_DKIM_REJECT");
        changed.ShouldNotContain("R_DKIM_ALLOW");
    }

    [NeedsFact("rspamd", "unbound")]
    public async Task Rspamd_s_milter_does_the_same()
    {
        var recipient = await MailServer.NewAccountAsync(Milters);

        (await SendAsync(Milters, recipient, "clean", "Hello")).ShouldStartWith("250 ");
        (await SendAsync(Milters, recipient, "rejected", Rspamd.Rejected)).ShouldBe("554 5.7.1 Gtube pattern");
        (await SendAsync(Milters, recipient, Rspamd.Later, "Hello")).ShouldStartWith("451 4.7.1 ");
        (await FetchAsync(Milters, recipient, "INBOX")).ShouldContain("X-Spamd-Result: default: False");
        (await Milters.RunAsync("history", recipient)).Output.ShouldContain($"inet:127.0.0.1:{filtering.Rspamd.Milter} reject");
    }

    [NeedsFact("/usr/sbin/opendkim", "rspamd", "unbound")]
    public async Task What_a_milter_adds_is_in_the_mailbox_and_holds()
    {
        var recipient = await MailServer.NewAccountAsync(Milters);
        (await SendAsync(Milters, recipient, "folded\r\n subject", "Hello")).ShouldStartWith("250 ");
        var message = await FetchAsync(Milters, recipient, "INBOX");
        message.ShouldContain("DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/simple; d=example.org; s=s1;");

        // Another server believes it, with what the DNS says of the key, and so does rspamd.
        var other = await MailServer.NewAccountAsync(Server);
        var signed = message[message.IndexOf("DKIM-Signature:", StringComparison.Ordinal)..];
        (await SendWholeAsync(Server, other, signed.TrimEnd('\r', '\n') + "\r\n")).ShouldStartWith("250 ");
        var history = (await Server.RunAsync("history", other)).Output;
        history.ShouldContain("dkim pass (example.org)");
        history.ShouldContain("R_DKIM_ALLOW(");
    }

    [NeedsFact("/usr/sbin/clamd", "/usr/sbin/clamav-milter")]
    public async Task A_virus_is_refused()
    {
        var recipient = await MailServer.NewAccountAsync(Milters);
        (await SendAsync(Milters, recipient, "clean", Attached("nothing"))).ShouldStartWith("250 ");
        (await SendAsync(Milters, recipient, "virus", Attached(ClamAv.Virus))).ShouldStartWith("550 5.7.1 virus found: Tests.Virus");
        (await FetchAsync(Milters, recipient, "INBOX")).ShouldContain("\nX-Virus-Status: Clean\r\n");
        (await Milters.RunAsync("history", recipient)).Output.ShouldContain("(milter): 550 5.7.1 virus found: Tests.Virus");

        static string Attached(string content) =>
            $"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n{Convert.ToBase64String(Encoding.ASCII.GetBytes(content))}";
    }

    [NeedsFact("/usr/bin/python3", LibMilter.Module)]
    public async Task A_milter_puts_off_or_refuses_a_recipient_before_the_message()
    {
        var account = await MailServer.NewAccountAsync(Milters);
        var (greylisted, unwanted) = (Detailed(LibMilter.Greylisted), Detailed(LibMilter.Unwanted));

        (await SendAsync(Milters, greylisted, "clean", "Hello")).ShouldBe("451 4.7.1 Greylisted, come again");
        (await SendAsync(Milters, greylisted, "clean", "Hello")).ShouldStartWith("250 ");
        (await SendAsync(Milters, unwanted, "clean", "Hello")).ShouldBe("550 5.7.1 100% unwanted");
        (await Milters.RunAsync("history", account)).Output.ShouldContain("(milter): 550 5.7.1 100% unwanted");

        string Detailed(string detail) => account.Replace("@", $"+{detail}@", StringComparison.Ordinal);
    }

    [NeedsFact("/usr/bin/python3", LibMilter.Module)]
    public async Task What_a_milter_wants_changed_is_changed()
    {
        var recipient = await MailServer.NewAccountAsync(Milters);
        (await SendAsync(Milters, recipient, LibMilter.Edited, "Hello")).ShouldStartWith("250 ");
        (await SendAsync(Milters, recipient, LibMilter.SetAside, "Hello")).ShouldStartWith("250 ");

        var message = await FetchAsync(Milters, recipient, "INBOX");
        var header = message[..message.IndexOf("\r\n\r\n", StringComparison.Ordinal)];
        header.IndexOf("X-Above: first\r\n", StringComparison.Ordinal).ShouldBeInRange(0, header.IndexOf("Received:", StringComparison.Ordinal));
        header.ShouldContain("\r\nX-Below: last\r\n\tfolded");
        header.ShouldContain("\r\nSubject: edited\r\n");
        header.ShouldNotContain("MIME-Version");
        message[(header.Length + 4)..].ShouldBe(string.Concat(Enumerable.Repeat("another body of seventy octets and more, to be cut into many packets..\r\n", 3000)));
        (await FetchAsync(Milters, recipient, "Spam")).ShouldContain($"\r\nSubject: {LibMilter.SetAside}\r\n");
    }

    private async Task<string> DoAsync(params string[] arguments)
    {
        var result = await Server.RunAsync(arguments);
        result.ExitCode.ShouldBe(0, result.Error);
        return result.Output;
    }
}
