using System.Security.Cryptography;
using System.Text;
using EventMail.Protocols.MailAuth.Arc;
using EventMail.Protocols.MailAuth.Dkim;
using EventMail.Protocols.Tests.MailAuth.Dkim;

namespace EventMail.Protocols.Tests.MailAuth.Arc;

public sealed class ArcVerifierTests
{
    private const string Body = "From: a@example.org\r\nSubject: x\r\n\r\nHey gang,\r\nThis is a test message.\r\n--J.\r\n";

    [Fact]
    public async Task A_message_without_a_chain_has_none_and_its_body_is_not_read()
    {
        var dns = new DnsTable();

        (await VerifyAsync(Mail.Of(Body), dns)).ShouldBe(ArcResult.NoChain);
        dns.Questions.ShouldBe(0);
    }

    [Fact]
    public async Task A_chain_of_three_that_nobody_changed_passes_from_the_first()
    {
        var mail = Mail.Of(Body);
        for (var hop = 1; hop <= 3; hop++)
            mail = ArcSealing.Seal(mail, hop, hop == 1 ? "none" : "pass");

        var result = await VerifyAsync(mail, TestKeys.Dns());

        result.Reason.ShouldBeEmpty();
        (result.Verdict, result.Instance, result.OldestPass).ShouldBe((ArcVerdict.Pass, 3, 0));
        result.Sealers.ShouldBe(["example.org", "example.org", "example.org"]);
        result.Findings.Select(finding => Encoding.ASCII.GetString(finding.Span)).ShouldAllBe(text => text == " example.org; spf=pass");
    }

    [Fact]
    public async Task The_oldest_pass_is_the_first_instance_behind_the_last_change()
    {
        var mail = ArcSealing.Seal(ArcSealing.Seal(Mail.Of(Body), 1, "none"), 2, "pass").Replace("Subject: x", "Subject: [list] x");
        mail = ArcSealing.Seal(ArcSealing.Seal(mail, 3, "pass"), 4, "pass");

        var result = await VerifyAsync(mail, TestKeys.Dns());

        (result.Verdict, result.Instance, result.OldestPass).ShouldBe((ArcVerdict.Pass, 4, 3));
    }

    [Theory]
    [InlineData("Hey gang", "Hey all", "message signature 2: body hash did not verify")]
    [InlineData("Subject: x", "Subject: y", "message signature 2: signature did not verify")]
    [InlineData("ARC-Authentication-Results: i=1; example.org; spf=pass", "ARC-Authentication-Results: i=1; example.org; spf=fail", "seal 2: signature did not verify")]
    [InlineData("ARC-Authentication-Results: i=2;", "ARC-Authentication-Results: i=3;", "instances do not count from 1")]
    [InlineData("cv=pass", "cv=fail", "the last seal says that the chain is broken")]
    [InlineData("cv=pass", "cv=none", "cv= of instance 2 is wrong")]
    [InlineData("cv=pass;", "cv=pass; h=from;", "seal 2: h= in a seal")]
    [InlineData("ARC-Authentication-Results: i=1;", "X-ARC: i=1;", "a set that is not whole")]
    public async Task A_chain_that_somebody_changed_fails(string what, string by, string reason)
    {
        var mail = ArcSealing.Seal(ArcSealing.Seal(Mail.Of(Body), 1, "none"), 2, "pass").Replace(what, by);

        var result = await VerifyAsync(mail, TestKeys.Dns());

        (result.Verdict, result.Reason).ShouldBe((ArcVerdict.Fail, reason));
    }

    // RFC 8617 §5.2.1: "All errors, including DNS failures, become unrecoverable and are considered permanent."
    [Fact]
    public async Task A_key_that_cannot_be_asked_for_breaks_the_chain()
    {
        var mail = ArcSealing.Seal(Mail.Of(Body), 1, "none");

        (await VerifyAsync(mail, new DnsTable().Fail("r1._domainkey.example.org"))).Reason.ShouldBe("message signature 1: key unavailable");
    }

    [Theory]
    [InlineData(50, ArcVerdict.Pass, "")]
    [InlineData(51, ArcVerdict.Fail, "more than 50 sets")]
    public async Task Fifty_sets_are_the_most(int sets, ArcVerdict verdict, string reason)
    {
        var mail = Mail.Of(Body);
        for (var hop = 1; hop <= sets; hop++)
            mail = ArcSealing.Seal(mail, hop, hop == 1 ? "none" : "pass");

        var result = await VerifyAsync(mail, TestKeys.Dns());

        (result.Verdict, result.Reason).ShouldBe((verdict, reason));
    }

    // RFC 8617, Appendix B prints no keys; its bodies are all the same, and hash as it says.
    [Fact]
    public void The_body_of_RFC_8617s_example_has_its_hash()
    {
        using var hasher = BodyHasher.Create(Canonicalization.Relaxed, null);
        hasher.Append("Hey gang,\r\nThis is a test message.\r\n--J.\r\n"u8);

        Convert.ToBase64String(hasher.Finish()).ShouldBe("KWSe46TZKCcDbH4klJPo+tjk5LWJnVRlP5pvjXFZYLQ=");
    }

    private static async Task<ArcResult> VerifyAsync(Mail mail, DnsTable dns) =>
        await new ArcVerifier().VerifyAsync(mail.Header, mail.InPieces(7), dns, Mail.Now, default);

    /// <summary>Adds sets to a message as a list server does (RFC 8617 §5.1).</summary>
    private static class ArcSealing
    {
        private static readonly DkimSigningKey Key = new("example.org", "r1", DkimAlgorithm.RsaSha256, TestKeys.Rsa.PrivateKey);

        public static Mail Seal(Mail mail, int hop, string status)
        {
            using var hasher = BodyHasher.Create(Canonicalization.Relaxed, null);
            hasher.Append(mail.Body);
            var bodyHash = Convert.ToBase64String(hasher.Finish());
            var results = $"ARC-Authentication-Results: i={hop}; example.org; spf=pass\r\n";
            var header = MessageHeader.Read(mail.Header, int.MaxValue)!;
            var message = $"ARC-Message-Signature: i={hop}; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=r1; h=from:subject; bh={bodyHash}; b=";
            var signed = Encoding.ASCII.GetBytes(message);
            message += Convert.ToBase64String(Key.Sign(
                SignedHash.Of(header, ["from", "subject"], Canonicalization.Relaxed, -1, signed, signed.Length..signed.Length))) + "\r\n";
            var seal = $"ARC-Seal: i={hop}; a=rsa-sha256; cv={status}; d=example.org; s=r1; b=";
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            for (var i = 1; i < hop; i++)
            {
                foreach (var name in (string[])["arc-authentication-results", "arc-message-signature", "arc-seal"])
                {
                    var positions = header.Named(name);
                    HeaderCanonicalizer.AppendField(hash, header.Raw(positions[^i]).Span, Canonicalization.Relaxed);
                }
            }
            HeaderCanonicalizer.AppendField(hash, Encoding.ASCII.GetBytes(results), Canonicalization.Relaxed);
            HeaderCanonicalizer.AppendField(hash, Encoding.ASCII.GetBytes(message), Canonicalization.Relaxed);
            HeaderCanonicalizer.AppendSignature(hash, Encoding.ASCII.GetBytes(seal), seal.Length..seal.Length, Canonicalization.Relaxed);
            seal += Convert.ToBase64String(Key.Sign(hash.GetHashAndReset())) + "\r\n";
            return mail with { Header = [.. Encoding.ASCII.GetBytes(seal + message + results), .. mail.Header] };
        }
    }
}
