using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.EndToEnd;

/// <summary>Checks of incoming mail, by the server with a real resolver.</summary>
public sealed class ReceptionTests
{
    // RFC 2606 names; the client is this machine.
    private const string Zone =
        """
        @ TXT "v=spf1 ip4:127.0.0.0/8 -all"
        _dmarc TXT "v=DMARC1; p=reject"
        forged TXT "v=spf1 -all"
        """;

    [NeedsFact("unbound")]
    public async Task Mail_is_checked_with_what_the_DNS_says_and_a_refusal_is_told_by_history()
    {
        await using var dns = await DnsServer.StartAsync("example.org", Zone);
        await using var server = await TestServer.StartAsync(new()
        {
            Settings = [.. MailServer.Settings, $"Dns:Servers={dns.Setting}", "MailAuth:TrustedNetworks=", "MailAuth:Dmarc=Reject", "Hostname=mx.example.test"],
        });
        var recipient = await MailServer.NewAccountAsync(server);

        (await SendAsync(server, "a@example.org", recipient)).ShouldStartWith("250 ");
        (await SendAsync(server, "a@forged.example.org", recipient)).ShouldBe("550 5.7.1 Refused by the DMARC policy of example.org");

        var history = await server.RunAsync("history", recipient);
        history.Output.ShouldContain("spf pass (example.org), dmarc pass (example.org)");
        history.Output.ShouldContain("(dmarc): 550 5.7.1 Refused by the DMARC policy of example.org");
        history.Output.ShouldContain("spf fail (forged.example.org), dmarc fail (example.org), so reject");
    }

    private static async Task<string> SendAsync(TestServer server, string sender, string recipient)
    {
        await using var client = await ScriptedClient.ConnectAsync(server["smtp"]);
        await client.ExpectMatchAsync("220 .*");
        foreach (var line in new[] { "HELO client.example.org", $"MAIL FROM:<{sender}>", $"RCPT TO:<{recipient}>", "DATA" })
            (await client.AskAsync(line))![0].ShouldBeOneOf('2', '3');
        return (await client.AskAsync("From: a@example.org\r\nSubject: x\r\n\r\nbody\r\n."))!;
    }
}
