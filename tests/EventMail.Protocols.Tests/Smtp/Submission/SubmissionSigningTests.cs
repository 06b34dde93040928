using System.Buffers;
using System.Text;
using EventMail.Domain.Deliveries;
using EventMail.Projections.Accounts;
using EventMail.Protocols.MailAuth.Dkim;
using EventMail.Protocols.Smtp.Client;
using EventMail.Protocols.Smtp.Submission;
using EventMail.Protocols.Tests.MailAuth;
using EventMail.Protocols.Tests.MailAuth.Dkim;
using EventMail.Testing.Transcripts;

namespace EventMail.Protocols.Tests.Smtp.Submission;

/// <summary>Signatures of what users send, verified as others get it.</summary>
public sealed class SubmissionSigningTests(SubmissionFixture fixture) : IClassFixture<SubmissionFixture>, IAsyncLifetime
{
    private static readonly DkimSigner Signer = new((domain, _) => new(domain == "example.test"
        ? [new DkimSigningKey("example.test", "r1", DkimAlgorithm.RsaSha256, TestKeys.Rsa.PrivateKey)]
        : Array.Empty<DkimSigningKey>()));

    private AccountEntry _alice = null!;
    private AccountEntry _bob = null!;

    public async Task InitializeAsync()
    {
        (_alice, _bob) = (await fixture.Mail.NewAccountAsync(), await fixture.Mail.NewAccountAsync());
        await fixture.SubmittedAsync();
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task The_message_is_signed_for_its_author_s_domain_as_it_goes_out()
    {
        await using var client = await fixture.LogInAsync(_alice, fixture.NewServices(signer: Signer));
        (await SubmissionFixture.SendAsync(
            client, $"<{_alice.Address}>", ["<a@example.com>"], $"From: <{_alice.Address}>\r\nBcc: secret@x\r\nSubject: x\r\n\r\nbody  \r\n\r\n")).ShouldStartWith("250 ");

        await ShouldVerifyAsSentAsync(await fixture.OnlySubmittedAsync());
    }

    // RFC 6376 §5.3: what the client makes of line ends (RFC 5321 §2.3.8) comes before the signature.
    [Theory]
    [InlineData("a\rb\r\nc\r\r\nd\r\n", "a\r\nb\r\nc\r\n\r\nd\r\n")]
    [InlineData("a\nb\n\r\n.\n", "a\r\nb\r\n\r\n.\r\n")]
    [InlineData("ends in \r", "ends in \r\n")]
    [InlineData("no end", "no end")]
    [InlineData("a\0b\r\n", "a\0b\r\n")]
    public async Task Half_line_ends_are_made_whole_before_it_is_signed(string body, string sent)
    {
        await using var client = await fixture.LogInAsync(_alice, fixture.NewServices(signer: Signer));
        await SendChunkAsync(client, "", $"From: <{_alice.Address}>\r\n\r\n{body}");

        var submitted = await fixture.OnlySubmittedAsync();
        (await ShouldVerifyAsSentAsync(submitted)).ShouldEndWith("\r\n\r\n" + sent);
        // Whoever is here gets what the others get.
        (await fixture.MailboxAsync(_bob)).ShouldContain(submitted.Text);
    }

    [Fact]
    public async Task A_large_body_with_half_line_ends_is_signed_as_it_goes_out()
    {
        await using var client = await fixture.LogInAsync(_alice, fixture.NewServices(signer: Signer));
        await SendChunkAsync(client, "", $"From: <{_alice.Address}>\r\n\r\n" + string.Concat(Enumerable.Repeat("line\rline\nline \r\n", 150_000)));
        await ShouldVerifyAsSentAsync(await fixture.OnlySubmittedAsync());
    }

    [Fact]
    public async Task A_binary_message_is_signed_and_goes_out_as_it_is() // RFC 3030 §3
    {
        await using var client = await fixture.LogInAsync(_alice, fixture.NewServices(signer: Signer));
        await SendChunkAsync(client, " BODY=BINARYMIME", $"From: <{_alice.Address}>\r\n\r\na\rb\nc\0\r");
        var submitted = await fixture.OnlySubmittedAsync();
        submitted.Message.Body.ShouldBe("binarymime");
        submitted.Text.ShouldEndWith("\r\n\r\na\rb\nc\0\r");
        await ShouldVerifyAsSentAsync(submitted);
    }

    [Fact]
    public async Task Without_CheckFrom_nobody_signs_for_who_is_not_his()
    {
        await using var client = await fixture.LogInAsync(_alice, fixture.NewServices(new() { CheckFrom = false }, signer: Signer));
        foreach (var (from, isSigned) in new[] { (_bob.Address, false), ($"{_alice.Address}, {_bob.Address}", false), (_alice.Address, true) })
        {
            (await SubmissionFixture.SendAsync(client, $"<{_alice.Address}>", ["<a@example.com>"], $"From: {from}\r\n\r\nx")).ShouldStartWith("250 ");
            (await fixture.OnlySubmittedAsync()).Text.Contains("DKIM-Signature:", StringComparison.Ordinal).ShouldBe(isSigned, from);
        }
    }

    private async Task SendChunkAsync(ScriptedClient client, string parameters, string message)
    {
        (await client.AskAsync($"MAIL FROM:<{_alice.Address}>{parameters}"))!.ShouldStartWith("250 ");
        foreach (var recipient in new[] { "a@example.com", _bob.Address })
            (await client.AskAsync($"RCPT TO:<{recipient}>"))!.ShouldStartWith("250 ");
        var octets = Encoding.ASCII.GetBytes(message);
        await client.SendAsync((byte[])[.. Encoding.ASCII.GetBytes($"BDAT {octets.Length} LAST\r\n"), .. octets]);
        (await client.ReadLineAsync())!.ShouldStartWith("250 ");
    }

    /// <summary>What the SMTP client puts on the wire.</summary>
    private static async Task<string> ShouldVerifyAsSentAsync((MessageSubmitted Message, string Text) submitted)
    {
        var relayed = Encoding.ASCII.GetBytes(submitted.Text[submitted.Message.Skip..]);
        if (submitted.Message.Body != "binarymime")
        {
            var output = new ArrayBufferWriter<byte>();
            var lines = new MessageLines(stuffed: false);
            lines.Write(output, relayed);
            lines.End(output);
            relayed = output.WrittenSpan.ToArray();
        }

        var dns = new DnsTable().Txt("r1._domainkey.example.test", TestKeys.Record(TestKeys.Rsa));
        (await Mail.Of(relayed).VerifyAsync(dns, now: DateTimeOffset.UtcNow)).ShouldHaveSingleItem().ShouldSatisfyAllConditions(
            result => result.Verdict.ShouldBe(DkimVerdict.Pass), result => result.Domain.ShouldBe("example.test"));
        return Encoding.ASCII.GetString(relayed);
    }
}
