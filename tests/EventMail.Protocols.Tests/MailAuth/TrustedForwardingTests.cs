using System.Text;
using EventMail.Protocols.MailAuth;
using EventMail.Protocols.MailAuth.Arc;

namespace EventMail.Protocols.Tests.MailAuth;

public sealed class TrustedForwardingTests
{
    private static readonly HashSet<string> Trusted = ["lists.example", "relay.example"];

    [Theory]
    [InlineData(" lists.example; spf=fail; dmarc=pass header.from=example.com", true)]
    [InlineData(" lists.example;\r\n\tDMARC = pass (p=none; dis=none)\r\n\theader.from = Example.COM", true)]
    [InlineData(" lists.example; dmarc=pass header.from=example.net", false)]
    [InlineData(" lists.example; dmarc=pass", false)]
    [InlineData(" lists.example; dmarc=fail header.from=example.com", false)]
    [InlineData(" lists.example; dmarc=fail (; dmarc=pass header.from=example.com)", false)]
    [InlineData(" lists.example; spf=fail reason=\"; dmarc=pass header.from=example.com\"", false)]
    [InlineData(" dmarc=pass header.from=example.com", false)]
    [InlineData("", false)]
    public void The_first_sealer_must_have_seen_the_author_pass(string findings, bool vouches) =>
        TrustedForwarding.Vouches(Chain(findings, "lists.example", "relay.example"), Trusted, "example.com").ShouldBe(vouches);

    [Fact]
    public void Every_sealer_must_be_trusted() =>
        TrustedForwarding.Vouches(Chain(" a; dmarc=pass header.from=example.com", "lists.example", "stranger.example"), Trusted, "example.com").ShouldBeFalse();

    [Fact]
    public void A_chain_that_is_broken_vouches_for_nothing() =>
        TrustedForwarding.Vouches(Chain(" a; dmarc=pass header.from=example.com", "lists.example") with { Verdict = ArcVerdict.Fail }, Trusted, "example.com").ShouldBeFalse();

    private static ArcResult Chain(string findings, params string[] sealers) => new(ArcVerdict.Pass, "")
    {
        Instance = sealers.Length,
        Sealers = sealers,
        Findings = [.. sealers.Select(_ => (ReadOnlyMemory<byte>)Encoding.Latin1.GetBytes(findings))],
    };
}
