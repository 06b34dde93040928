using EventMail.Protocols.MailAuth.Dkim;

namespace EventMail.Protocols.Tests.MailAuth.Dkim;

/// <summary>The examples of RFC 6376, Appendices A and C, and RFC 8463, Appendix A.</summary>
public sealed class RfcVectorTests
{
    public const string AppendixC =
        "v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od"
        + "+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB";

    private static readonly DnsTable Dns = new DnsTable()
        .Txt("brisbane._domainkey.example.com", AppendixC)
        .Txt("brisbane._domainkey.football.example.com", "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
        .Txt("test._domainkey.football.example.com",
            "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutAC"
            + "DfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB");

    // As it was signed: six spaces before folded lines and one behind "game."; the layout of the RFC's text changed both.
    [Fact]
    public async Task The_signed_mail_of_RFC_6376_verifies_with_the_key_of_its_appendix_C()
    {
        var result = (await Mail.Vector("rfc6376-a3.eml").VerifyAsync(Dns)).ShouldHaveSingleItem();

        result.ShouldBe(new DkimResult(DkimVerdict.Pass, "")
        {
            Domain = "example.com",
            Identity = "joe@football.example.com",
            Selector = "brisbane",
            Algorithm = "rsa-sha256",
            SignatureStart = "AuUoFEfD",
        });
    }

    [Fact]
    public async Task Both_signatures_of_RFC_8463_verify_with_the_keys_of_its_appendix_A()
    {
        var results = await Mail.Vector("rfc8463-a3.eml").VerifyAsync(Dns);

        results.Select(result => (result.Verdict, result.Algorithm, result.Identity)).ShouldBe([
            (DkimVerdict.Pass, "ed25519-sha256", "@football.example.com"), (DkimVerdict.Pass, "rsa-sha256", "@football.example.com")]);
    }

    [Theory]
    [InlineData("Is dinner ready?", "Is dinner over?", "signature did not verify")]
    [InlineData("Are you hungry yet?", "Are you hungry?", "body hash did not verify")]
    [InlineData("From: Joe SixPack", "From: Joe\nFrom: Joe SixPack", null)]
    [InlineData("Subject: Is", "Subject: Is dinner ready?\nSubject: Is", "signature did not verify")]
    public async Task A_change_to_the_mail_of_RFC_8463_fails_with_both(string what, string by, string? reason)
    {
        var results = await Mail.Vector("rfc8463-a3.eml").Replace(what, by.ReplaceLineEndings("\r\n")).VerifyAsync(Dns);

        results.Count.ShouldBe(2);
        results.ShouldAllBe(result => result.Verdict == DkimVerdict.Fail && result.Reason == ((reason ?? "signature did not verify")));
    }
}
