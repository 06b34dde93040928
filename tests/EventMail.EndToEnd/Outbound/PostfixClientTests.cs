using System.Net;
using System.Text;
using EventMail.Protocols.Smtp.Client;
using EventMail.Testing;

namespace EventMail.EndToEnd.Outbound;

/// <summary>The SMTP client against a real Postfix: what it takes, refuses and says.</summary>
public sealed class PostfixClientTests
{
    [PostfixFact]
    public async Task Postfix_takes_what_the_client_sends_and_says_no_in_ways_that_it_understands()
    {
        await using var postfix = await Postfix.StartAsync();
        await using var client = await ConnectAsync(postfix);
        client.PeerName.ShouldBe("postfix.example.com");
        client.Tls.ShouldNotBeNull().Verified.ShouldBeTrue();
        var peer = client.Extensions;
        new[] { peer.Pipelining, peer.Size, peer.EightBitMime, peer.SmtpUtf8, peer.Dsn, peer.Chunking, peer.EnhancedStatusCodes }.ShouldAllBe(offered => offered);
        peer.MaxSize.ShouldBe(2_000_000);

        // Each recipient by itself.
        var result = await client.SendAsync(Message("Subject: 1\r\n\r\n.one\r\n", "alice@example.com", "nobody@example.com"), default);
        result.Recipients[0].Outcome.ShouldBe(SendOutcome.Delivered);
        result.Recipients[1].ShouldSatisfyAllConditions(
            r => r.Outcome.ShouldBe(SendOutcome.Failed), r => (r.Code, r.Enhanced, r.Stage).ShouldBe((550, "5.1.1", "rcpt")));
        result.RelayedDsn.ShouldBeTrue();

        // RFC 5321 §4.5.3.1.10: two at a time.
        result = await client.SendAsync(Message("Subject: 2\r\n\r\ntwo\r\n", "alice@example.com", "bob@example.com", "bob@example.com"), default);
        result.Recipients.Select(r => r.Outcome).ShouldBe([SendOutcome.Delivered, SendOutcome.Delivered, SendOutcome.NotTried]);
        result.Recipients[2].Enhanced.ShouldBe("4.5.3");

        result = await client.SendAsync(Message("Subject: 3\r\n\r\n", "grey@example.com", "full@example.com"), default);
        result.Recipients.Select(r => (r.Outcome, r.Code, r.Enhanced)).ShouldBe([(SendOutcome.Deferred, 450, "4.7.1"), (SendOutcome.Failed, 552, "5.2.2")]);

        result = await client.SendAsync(Message("Subject: 4\r\n\r\n", "somebody@elsewhere.example"), default);
        result.Recipients[0].ShouldSatisfyAllConditions(r => r.Outcome.ShouldBe(SendOutcome.Failed), r => r.Enhanced.ShouldBe("5.7.1"));

        // A message too large for SIZE is not even begun.
        result = await client.SendAsync(Message(new string('x', 2_000_001), "alice@example.com"), default);
        result.Recipients[0].Enhanced.ShouldBe("5.3.4");
        (await client.SendAsync(Message("Subject: 5\r\n\r\nä\r\n", "jürgen@example.com") with { SmtpUtf8 = true, Body = "8bitmime" }, default))
            .Recipients[0].Outcome.ShouldBe(SendOutcome.Delivered);
        client.CanReuse.ShouldBeTrue();
        await client.QuitAsync();

        (await postfix.MailAsync("alice", 2)).ShouldContain(mail => Encoding.UTF8.GetString(mail).EndsWith("\n\n.one\n", StringComparison.Ordinal));
        Encoding.UTF8.GetString((await postfix.MailAsync("jürgen", 1)).Single()).ShouldEndWith("\n\nä\n");
    }

    [PostfixTheory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Octets_arrive_by_DATA_and_by_BDAT(bool chunking)
    {
        await using var postfix = await Postfix.StartAsync();
        await using var client = await ConnectAsync(postfix, chunking);
        var body = string.Concat(Enumerable.Range(0, 20_000).Select(i => $"{new string('.', i % 4)}{i} ü {new string('x', i % 60)}\r\n"));
        var message = Message("Subject: x\r\n\r\n" + body, "alice@example.com") with { Body = "8bitmime" };
        (await client.SendAsync(message, default)).Recipients[0].Outcome.ShouldBe(SendOutcome.Delivered);
        await client.QuitAsync();
        Encoding.UTF8.GetString((await postfix.MailAsync("alice", 1)).Single()).ShouldEndWith("\n\n" + body.Replace("\r\n", "\n"));
    }

    [PostfixFact]
    public async Task A_Postfix_that_wants_TLS_refuses_who_has_none()
    {
        await using var postfix = await Postfix.StartAsync("smtpd_tls_security_level = encrypt");
        var (client, fault) = await SmtpClient.ConnectAsync(
            Host(postfix), new() { HelloName = "client.example.org", Tls = new() { Requirement = TlsRequirement.None } }, default);
        fault.ShouldBeNull();
        await using var owned = client.ShouldNotBeNull();
        var result = (await owned.SendAsync(Message("Subject: x\r\n\r\n", "alice@example.com"), default)).Recipients[0];
        (result.Outcome, result.Code, result.Enhanced, result.Stage).ShouldBe((SendOutcome.Failed, 530, "5.7.0", "mail"));
    }

    private static RemoteHost Host(Postfix postfix) => new("localhost", new(IPAddress.Loopback, postfix.Port));

    private static async Task<SmtpClient> ConnectAsync(Postfix postfix, bool chunking = true)
    {
        var options = new ClientOptions
        {
            HelloName = "client.example.org",
            UseChunking = chunking,
            Tls = new() { Requirement = TlsRequirement.Verified, Policy = "test", TrustAnchors = [TestCertificate.Certificate] },
        };
        var (client, fault) = await SmtpClient.ConnectAsync(Host(postfix), options, CancellationToken.None);
        fault.ShouldBeNull();
        return client.ShouldNotBeNull();
    }

    private static OutgoingMessage Message(string text, params string[] recipients)
    {
        var octets = Encoding.UTF8.GetBytes(text);
        return new()
        {
            Sender = "sender@example.org",
            Recipients = [.. recipients.Select(address => new OutgoingRecipient(address))],
            Content = _ => new[] { (ReadOnlyMemory<byte>)octets }.ToAsyncEnumerable(),
            Size = octets.Length,
        };
    }

    private sealed class PostfixFactAttribute : FactAttribute
    {
        public PostfixFactAttribute() => Skip = Postfix.Missing;
    }

    private sealed class PostfixTheoryAttribute : TheoryAttribute
    {
        public PostfixTheoryAttribute() => Skip = Postfix.Missing;
    }
}
