using System.Text;
using EventMail.Protocols.MailAuth;
using FsCheck;
using FsCheck.Fluent;

namespace EventMail.Protocols.Tests.MailAuth;

public sealed class AuthenticationResultsTests
{
    [Fact]
    public void Results_stand_on_lines_of_their_own_and_what_is_no_token_in_quotes() =>
        new AuthenticationResults("mx.example.org")
            .Add("iprev", "pass", null, ("policy.iprev", "2001:db8::1"))
            .Add("spf", "permerror", "cannot read \"a\\b\"", ("smtp.mailfrom", "example.com"), ("smtp.helo", null))
            .Add("dkim", "pass", "", ("header.b", "ab+/=xyz"), ("header.i", "@example.com"))
            .ToString().ShouldBe(
                "Authentication-Results: mx.example.org;\r\n"
                + "\tiprev=pass policy.iprev=\"2001:db8::1\";\r\n"
                + "\tspf=permerror reason=\"cannot read \\\"a\\\\b\\\"\" smtp.mailfrom=example.com;\r\n"
                + "\tdkim=pass header.b=\"ab+/=xyz\" header.i=@example.com\r\n");

    [Fact]
    public void Without_results_the_field_says_none() =>
        new AuthenticationResults("mx.example.org").ToString().ShouldBe("Authentication-Results: mx.example.org; none\r\n");

    [Fact]
    public void Whatever_a_stranger_put_into_a_reason_is_one_line_of_ASCII()
    {
        Prop.ForAll<string?>(reason =>
        {
            var field = new AuthenticationResults("mx").Add("spf", "fail", reason, ("smtp.helo", reason)).ToString();
            return field.Split("\r\n").Length == 3 && field.All(c => c is '\r' or '\n' or '\t' or >= ' ' and < '\x7f');
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    // RFC 8601 §5: what claims to be ours is taken out, in whatever form it does.
    [InlineData("Authentication-Results: mx.example.org; spf=pass\r\n", true)]
    [InlineData("AUTHENTICATION-RESULTS :MX.Example.Org;spf=pass\r\n", true)]
    [InlineData("Authentication-Results:\r\n (a (nested) \\) comment)\r\n mx.example.org 1; none\r\n", true)]
    [InlineData("Authentication-Results: \"mx.exam\\ple.org\"; spf=pass\r\n", true)]
    [InlineData("Authentication-Results: mx.example.org(c); spf=pass\r\n", true)]
    [InlineData("Authentication-Results: mx.example.org. ; spf=pass\r\n", true)]
    [InlineData("Authentication-Results: example.org; spf=pass\r\n", true)]
    [InlineData("Authentication-Results: a.mx.example.org; spf=pass\r\n", true)]
    [InlineData("Authentication-Results: mx.example.com 2; spf=pass\r\n", true)]
    [InlineData("Authentication-Results: (no end mx.example.com; spf=pass\r\n", true)]
    [InlineData("Authentication-Results: ; spf=pass\r\n", true)]
    [InlineData("Authentication-Results:\r\n", true)]
    [InlineData("Authentication-Results: mx.example.com; spf=pass\r\n", false)]
    [InlineData("Authentication-Results: mx.example.com 1 ; spf=pass smtp.helo=mx.example.org\r\n", false)]
    [InlineData("Authentication-Results: org; spf=pass\r\n", false)]
    [InlineData("ARC-Authentication-Results: i=1; mx.example.org; spf=pass\r\n", false)]
    [InlineData("X-Authentication-Results: mx.example.org; spf=pass\r\n", false)]
    public void Only_fields_that_claim_to_be_ours_are_taken_out(string field, bool isOurs)
    {
        var header = Encoding.ASCII.GetBytes($"Subject: a\r\n{field}From: b\r\n\r\n");
        var edited = Encoding.ASCII.GetString(ForeignResults.Remove(header, "mx.example.org").Span);
        edited.ShouldBe(isOurs ? "Subject: a\r\nFrom: b\r\n\r\n" : Encoding.ASCII.GetString(header));
    }

    [Fact]
    public void Our_name_in_U_labels_is_our_name()
    {
        // RFC 8601 §5
        var header = Encoding.UTF8.GetBytes("Authentication-Results: mx.Bücher.example; spf=pass\r\nFrom: b\r\n\r\n");
        Encoding.UTF8.GetString(ForeignResults.Remove(header, "mx.xn--bcher-kva.example").Span).ShouldBe("From: b\r\n\r\n");
    }

    [Fact]
    public void Of_any_header_nothing_else_is_lost()
    {
        string[] fields =
        [
            "A: b\r\n", "A: b\r\n folded\r\n", "no colon\r\n", "Authentication-Results: other.example\r\n", "B: c\n", ": \r\n",
            "Authentication-Results: mx.example.org; x\r\n", "authentication-results: mx.example.org;\r\n\tspf=pass\r\n",
        ];
        Prop.ForAll(Gen.Elements(fields).ListOf().ToArbitrary(), chosen =>
        {
            var text = string.Concat(chosen) + "\r\nAuthentication-Results: mx.example.org; in the body";
            var edited = Encoding.ASCII.GetString(ForeignResults.Remove(Encoding.ASCII.GetBytes(text), "mx.example.org").Span);
            return edited == string.Concat(chosen.Where(field => !field.Contains("mx.example.org", StringComparison.Ordinal)))
                + "\r\nAuthentication-Results: mx.example.org; in the body";
        }).QuickCheckThrowOnFailure();
    }
}
