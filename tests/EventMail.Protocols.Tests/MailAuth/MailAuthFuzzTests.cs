using System.Net;
using System.Text;
using EventMail.Protocols.Dns;
using EventMail.Protocols.MailAuth;
using EventMail.Protocols.MailAuth.Arc;
using EventMail.Protocols.MailAuth.Dkim;
using EventMail.Protocols.MailAuth.Dmarc;
using EventMail.Protocols.MailAuth.Spf;
using EventMail.Protocols.Tests.MailAuth.Dkim;
using EventMail.Testing;
using FsCheck;
using FsCheck.Fluent;

namespace EventMail.Protocols.Tests.MailAuth;

/// <summary>Strangers' records and header fields, in any pieces: every check has a result, and none of them fails.</summary>
public sealed class MailAuthFuzzTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    private static readonly string[] SpfTerms =
    [
        " ", " a", " mx", " ptr", " ip4:192.0.2.1", " ip6:2001:db8::/32", " ip4:", " include:a.test", " exists:", " redirect=", " exp=", "a.test", "%{", "i", "l",
        "h", "p", "v", "10", "r", ".-+,/_=", "}", "%%", "%_", "%-", "/24", "//64", "/999", ":", "=", "-all", " ~all", "?", "..", "\\", "v=spf1", new('x', 64),
    ];

    private static readonly string[] Tags =
    [
        "v=1;", "v=DKIM1;", "a=rsa-sha256;", "a=ed25519-sha256;", "a=", "c=relaxed/simple;", "c=/;", "d=a.test;", "d=ü.test;", "d=;", "s=k;", "s=..;", "h=from:to;", "h=", ":",
        "bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;", "bh=", "b=AAAA;", "b=", "b", "=", "t=1;", "x=99999999999999999999;", "l=0;", "l=-1;", "i=1;", "i=2;", "i=@a.test;",
        "q=dns/txt;", "cv=none;", "cv=pass;", "k=rsa;", "k=ed25519;", "p=;", "p=MCowBQYDK2VwAyEA;", "p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=;", "n=x;", "z=", ";", "; ",
        "\r\n ", "\r\n\t", " ", "(c)", "\"", "\0", "ü",
    ];

    private static readonly string[] Lines =
    [
        "DKIM-Signature:", "ARC-Seal: ", "ARC-Message-Signature: ", "ARC-Authentication-Results: ", "Authentication-Results: ", "From: ", "from :", "a@a.test", "<b@b.test>", ",",
        "mx.test;", "dmarc=pass header.from=a.test", "\r\n", "\r\n\r\n", "\n", "(", ")", "\\", ":", ";",
    ];

    private static readonly string[] Policies =
    [
        "v=DMARC1", "v = DMARC1", ";", "p=reject", "p=", "sp=none", "np=quarantine", "t=y", "pct=0", "psd=y", "psd=n", "adkim=s", "aspf=s", "rua=mailto:a@a.test", "rua=", "=", " ", ",", "ü",
    ];

    [Fact]
    public void Any_SPF_policy_has_a_result() => ForAll(Pieces(SpfTerms), Pieces(SpfTerms), (policy, local) =>
    {
        var dns = new DnsTable().Txt("a.test", "v=spf1" + policy).Address("a.test", "192.0.2.9").Pointer("192.0.2.1", "a.test")
            .Add("a.test", DnsType.Mx, new MxRecord(0, "a.test"));
        var spf = new SpfVerifier(dns, "mx.test", TimeProvider.System);
        Done(spf.MailFromAsync(IPAddress.Parse("192.0.2.1"), local, local, "a.test", None, explain: true));
        Done(spf.HeloAsync(IPAddress.Parse("2001:db8::1"), policy, None));
        dns.Questions.ShouldBeLessThan(250); // §4.6.4 bounds what a stranger makes us ask
    });

    [Fact]
    public void Any_signatures_keys_and_chains_have_a_result() => ForAll(Pieces([.. Tags, .. Lines]), Pieces(Tags), (text, key) =>
    {
        var dns = new DnsTable().Txt("k._domainkey.a.test", key);
        foreach (var whole in new[] { text, $"DKIM-Signature: {text}\r\n", Sets(text) })
        {
            var mail = Mail.Of(Encoding.Latin1.GetBytes(whole));
            var signatures = Done(new DkimVerifier().VerifyAsync(mail.Header, mail.InPieces(), dns, Mail.Now, None));
            signatures.ShouldNotBeEmpty();
            Done(new ArcVerifier().VerifyAsync(mail.Header, mail.InPieces(), dns, Mail.Now, None));
            Done(new DmarcVerifier(dns).EvaluateAsync(mail.Header, null, signatures, None));
            ForeignResults.Remove(mail.Header, "mx.test").Length.ShouldBeLessThanOrEqualTo(mail.Header.Length);
        }
    });

    [Fact]
    public void Any_DMARC_record_has_a_result_and_sealed_findings_too() => ForAll(Pieces([.. Policies, .. SpfTerms]), Pieces(Lines), (policy, findings) =>
    {
        var dns = new DnsTable().Txt("_dmarc.a.test", "v=DMARC1;" + policy).Txt("_dmarc.test", policy);
        var header = Encoding.ASCII.GetBytes("From: a@x.a.test\r\n\r\n");
        Done(new DmarcVerifier(dns).EvaluateAsync(header, null, [], None));
        TrustedForwarding.Vouches(
            new(ArcVerdict.Pass, "") { Sealers = ["a.test"], Findings = [Encoding.Latin1.GetBytes(findings)] }, new HashSet<string> { "a.test" }, "a.test");
    });

    // A chain whose structure holds, so that its tags are looked at.
    private static string Sets(string tags) =>
        $"ARC-Seal: i=1; cv=none; {tags}\r\nARC-Message-Signature: i=1; {tags}\r\nARC-Authentication-Results: i=1; {tags}\r\n\r\n";

    private static Gen<string> Pieces(string[] words) =>
        Gen.Frequency((9, Gen.Elements(words)), (1, Gen.Choose(0, 255).Select(octet => ((char)octet).ToString()))).ListOf().Select(string.Concat);

    // What is asked here is in memory: whatever takes longer hangs.
    private static T Done<T>(ValueTask<T> result)
    {
        var task = result.AsTask();
        task.Wait(Waiting.Limit).ShouldBeTrue();
        return task.Result;
    }

    private static void ForAll(Gen<string> one, Gen<string> other, Action<string, string> check) => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(FuzzTimes.Of(200)).WithEndSize(30), Prop.ForAll(one.ToArbitrary(), other.ToArbitrary(), check));
}
