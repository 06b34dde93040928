using System.Text;
using EventMail.Protocols.Dns;
using EventMail.Protocols.TransportSecurity;
using FsCheck;
using FsCheck.Fluent;

namespace EventMail.Protocols.Tests.TransportSecurity;

/// <summary>RFC 8461 §3.1, §3.2, §4.1.</summary>
public sealed class MtaStsTextTests
{
    private const string Policy = "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\nmax_age: 604800\r\n";

    [Theory]
    [InlineData("20160831085700Z", "v=STSv1; id=20160831085700Z;")]
    [InlineData("1", "v=STSv1;id=1")]
    [InlineData("1", "v=STSv1 ; id=1; more=x")]
    [InlineData("1", "v=STSv1; id=1; id=2")]
    [InlineData("1", "v=spf1 -all", "v=STSv1; id=1;")]
    [InlineData(null)]
    [InlineData(null, "v=STSv1")]
    [InlineData(null, "v=STSv1;")]
    [InlineData(null, "v=STSv2; id=1;")]
    [InlineData(null, "V=stsv1; id=1;")]
    [InlineData(null, "id=1; v=STSv1;")]
    [InlineData(null, "v=STSv1; id=;")]
    [InlineData(null, "v=STSv1; id=a-b;")]
    [InlineData(null, "v=STSv1; id=123456789012345678901234567890123;")]
    [InlineData(null, "v=STSv1; id=1; rubbish")]
    [InlineData(null, "v=STSv1; id=1; more=")]
    [InlineData(null, "v=STSv1; id=1; more=a=b")]
    [InlineData(null, "v=STSv1; id=1; more=a b")]
    [InlineData(null, "v=STSv1; id=1; -more=a")]
    [InlineData(null, "v=STSv1; id=1;", "v=STSv1; id=2;")]
    public void A_record_has_an_id(string? id, params string[] texts) =>
        MtaStsText.IdOf(texts.Select(text => new TxtRecord(Encoding.ASCII.GetBytes(text)))).ShouldBe(id);

    [Theory]
    [InlineData("\r\n")]
    [InlineData("\n")]
    public void A_policy_is_lines(string end)
    {
        var policy = MtaStsText.Parse(Policy.Replace("\r\n", end), "1", out _)!;
        (policy.Id, policy.Mode, policy.MaxAge).ShouldBe(("1", MtaStsMode.Enforce, TimeSpan.FromDays(7)));
        policy.Mx.ShouldBe(["mail.example.com", "*.example.net"]);
    }

    [Theory]
    [InlineData("mail.example.com", true)]
    [InlineData("MAIL.example.com.", true)]
    [InlineData("mx1.example.net", true)]
    [InlineData("a.mx1.example.net", false)]
    [InlineData("example.net", false)]
    [InlineData("x.mail.example.com", false)]
    public void A_wildcard_stands_for_one_label(string mx, bool allowed) => MtaStsText.Parse(Policy, "1", out _)!.Allows(mx).ShouldBe(allowed);

    [Fact]
    public void Unknown_fields_and_second_ones_are_passed_over()
    {
        var policy = MtaStsText.Parse("extra: field\n" + Policy + "mode: none\nmax_age: 1\n", "1", out _)!;
        (policy.Mode, policy.MaxAge).ShouldBe((MtaStsMode.Enforce, TimeSpan.FromDays(7)));
    }

    [Fact]
    public void A_max_age_beyond_a_year_is_cut() =>
        MtaStsText.Parse(Policy.Replace("604800", "9999999999"), "1", out _)!.MaxAge.TotalSeconds.ShouldBe(MtaStsText.MaxAgeSeconds);

    [Theory]
    [InlineData("STSv1", "STSv2", "the policy's version is not STSv1")]
    [InlineData("enforce", "maybe", "the policy's mode is none of enforce, testing and none")]
    [InlineData("604800", "-1", "the policy's max_age is no number")]
    [InlineData("604800", "00000604800", "the policy's max_age is no number")]
    [InlineData("mx: ", "xm: ", "the policy names no mx")]
    [InlineData("*.example.net", "*.*.net", "mx is no name or pattern: *.*.net")]
    [InlineData("version: STSv1", "<html>", "a line of the policy is no field: <html>")]
    public void What_is_no_policy_says_why(string part, string by, string fault)
    {
        MtaStsText.Parse(Policy.Replace(part, by), "1", out var found).ShouldBeNull();
        found.ShouldBe(fault);
    }

    [Fact]
    public void A_policy_of_mode_none_needs_no_mx() => MtaStsText.Parse("version: STSv1\nmode: none\nmax_age: 60", "1", out _)!.Mode.ShouldBe(MtaStsMode.None);

    [Fact]
    public void Any_text_is_a_policy_or_none() => Check.One(Config.QuickThrowOnFailure.WithMaxTest(1000), Prop.ForAll<string, string>((first, second) =>
    {
        (MtaStsText.Parse($"{first}{Policy}{second}", "1", out var fault) is null).ShouldBe(fault is not null);
        MtaStsText.IdOf([new TxtRecord(Encoding.UTF8.GetBytes("v=STSv1;" + first + second))]);
    }));
}
