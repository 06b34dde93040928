using System.Text;
using EventMail.Protocols.MailAuth.Dkim;
using EventMail.Protocols.MailAuth.Dmarc;
using EventMail.Protocols.MailAuth.Spf;
using EventMail.Protocols.Tests.MailAuth.Dkim;
using FsCheck;
using FsCheck.Fluent;

namespace EventMail.Protocols.Tests.MailAuth;

public sealed class DmarcTests
{
    private static readonly DkimResult[] Unsigned = [DkimResult.NotSigned];

    [Theory]
    // From, identifier that passed, p of example.com, alignment
    [InlineData("example.com", "example.com", "v=DMARC1; p=reject", DmarcResult.Pass)]
    [InlineData("news.example.com", "foo.example.com", "v=DMARC1; p=reject", DmarcResult.Pass)]
    [InlineData("example.com", "foo.example.com", "v=DMARC1; p=reject; aspf=s; adkim=s", DmarcResult.Fail)]
    [InlineData("EXAMPLE.com", "example.com", "v=DMARC1; p=reject; aspf=s; adkim=s", DmarcResult.Pass)]
    [InlineData("news.example.com", "foo.example.net", "v=DMARC1; p=reject", DmarcResult.Fail)]
    [InlineData("example.com", "notexample.com", "v=DMARC1; p=reject", DmarcResult.Fail)]
    [InlineData("example.com", null, "v=DMARC1; p=none", DmarcResult.Fail)]
    [InlineData("example.com", "example.com", "v=DMARC2; p=reject", DmarcResult.None)]
    [InlineData("example.com", "example.com", "p=reject; v=DMARC1", DmarcResult.None)]
    [InlineData("example.com", "example.com", "v=dmarc1; p=reject", DmarcResult.None)]
    public async Task An_identifier_counts_when_it_is_aligned(string author, string? passed, string record, DmarcResult expected)
    {
        var dns = new DnsTable().Txt("_dmarc.example.com", record);
        var header = From($"a@{author}");
        (await new DmarcVerifier(dns).EvaluateAsync(header, passed is null ? null : Passed(passed), Unsigned, default)).Result.ShouldBe(expected);
        if (passed is not null)
            (await new DmarcVerifier(dns).EvaluateAsync(header, null, [Signed(passed)], default)).Result.ShouldBe(expected);
    }

    [Theory]
    [InlineData("v=DMARC1; p=reject", "example.com", DmarcPolicy.Reject)]
    [InlineData("v=DMARC1;p=QUARANTINE;", "example.com", DmarcPolicy.Quarantine)]
    [InlineData("v = DMARC1 ; p = reject ; sp=none", "there.example.com", DmarcPolicy.None)]
    [InlineData("v=DMARC1; p=none; sp=quarantine; np=reject", "there.example.com", DmarcPolicy.Quarantine)]
    [InlineData("v=DMARC1; p=none; sp=quarantine; np=reject", "nowhere.example.com", DmarcPolicy.Reject)]
    [InlineData("v=DMARC1; p=none; sp=quarantine", "nowhere.example.com", DmarcPolicy.Quarantine)]
    [InlineData("v=DMARC1; p=reject", "nowhere.example.com", DmarcPolicy.Reject)]
    [InlineData("v=DMARC1; p=reject; t=y", "example.com", DmarcPolicy.Quarantine)]
    [InlineData("v=DMARC1; p=quarantine; t=y", "example.com", DmarcPolicy.None)]
    [InlineData("v=DMARC1; p=reject; pct=0", "example.com", DmarcPolicy.Quarantine)]
    [InlineData("v=DMARC1; p=reject; pct=20", "example.com", DmarcPolicy.Reject)]
    [InlineData("v=DMARC1; rubbish; =; p=reject; x=y", "example.com", DmarcPolicy.Reject)]
    [InlineData("v=DMARC1; p=oops; rua=mailto:a@example.com", "example.com", DmarcPolicy.None)]
    [InlineData("v=DMARC1; rua=mailto:a@example.com", "example.com", DmarcPolicy.None)]
    public async Task A_failure_has_the_policy_that_is_asked_for(string record, string author, DmarcPolicy expected)
    {
        var dns = new DnsTable().Txt("_dmarc.example.com", record).Exists("there.example.com").Exists("example.com");
        var outcome = await new DmarcVerifier(dns).EvaluateAsync(From($"a@{author}"), null, Unsigned, default);
        outcome.Result.ShouldBe(DmarcResult.Fail);
        outcome.Requested.ShouldBe(expected);
        outcome.PolicyDomain.ShouldBe("example.com");
    }

    [Theory]
    [InlineData("v=DMARC1")]
    [InlineData("v=DMARC1; p=oops")]
    [InlineData("v=DMARC1; p=reject; sp=oops; rua=nonsense")]
    public async Task A_record_without_a_policy_or_a_place_for_reports_is_none(string record) =>
        (await new DmarcVerifier(new DnsTable().Txt("_dmarc.example.com", record)).EvaluateAsync(From("a@example.com"), null, Unsigned, default))
            .Result.ShouldBe(DmarcResult.None);

    [Fact]
    public async Task Several_records_at_one_name_are_none()
    {
        var dns = new DnsTable().Txt("_dmarc.example.com", "v=DMARC1; p=reject").Txt("_dmarc.example.com", "v=DMARC1; p=none");
        (await new DmarcVerifier(dns).EvaluateAsync(From("a@example.com"), null, Unsigned, default)).Result.ShouldBe(DmarcResult.None);
    }

    [Fact]
    public async Task A_walk_up_the_tree_asks_eight_times_at_most()
    {
        var dns = new DnsTable();
        var walk = await new DmarcTree(dns).WalkAsync("a.b.c.d.e.f.g.h.i.j.mail.example.com", default);
        walk.Organization.ShouldBe("a.b.c.d.e.f.g.h.i.j.mail.example.com");
        dns.Questions.ShouldBe(8);
    }

    // The examples of RFC 9989 §4.10.2.
    [Theory]
    [InlineData("mail.example.com,example.com", "", "", "example.com")]
    [InlineData("mail.example.com", "mail.example.com", "", "mail.example.com")]
    [InlineData("com", "", "com", "example.com")]
    [InlineData("", "", "", "a.mail.example.com")]
    [InlineData("example.com,com", "", "com", "example.com")]
    public async Task The_organization_is_found_by_the_records_on_the_way(string records, string notSuffix, string suffix, string expected)
    {
        var dns = new DnsTable();
        foreach (var domain in records.Split(',', StringSplitOptions.RemoveEmptyEntries))
            dns.Txt("_dmarc." + domain, "v=DMARC1; p=none" + (domain == notSuffix ? "; psd=n" : domain == suffix ? "; psd=y" : ""));
        (await new DmarcTree(dns).WalkAsync("a.mail.example.com", default)).Organization.ShouldBe(expected);
    }

    [Fact]
    public async Task Two_registered_below_one_suffix_are_not_aligned()
    {
        var dns = new DnsTable().Txt("_dmarc.gov.example", "v=DMARC1; p=reject; psd=y").Exists("tax.gov.example");
        var outcome = await new DmarcVerifier(dns).EvaluateAsync(From("a@tax.gov.example"), Passed("parks.gov.example"), Unsigned, default);
        outcome.Result.ShouldBe(DmarcResult.Fail);
        outcome.PolicyDomain.ShouldBe("gov.example");
    }

    [Theory]
    [InlineData("From: a@example.com\r\nFrom: b@example.net\r\n\r\n", "several From fields")]
    [InlineData("From: a@example.com, b@example.com\r\n\r\n", null)]
    [InlineData("Subject: x\r\n\r\n", "no From field")]
    [InlineData("From: undisclosed:;\r\n\r\n", "no address in From")]
    [InlineData("From: =?utf-8?q?a=40example.com?=\r\n\r\n", "an address in From without a domain")]
    [InlineData("From: \"a@example.net\" <a@example.com>\r\n\r\n", null)]
    [InlineData("From: a@[192.0.2.1]\r\n\r\n", "an address in From without a domain")]
    [InlineData("From: A group: a@example.com;\r\n\r\n", null)]
    [InlineData("From: a@example.com b@example.net\r\n\r\n", "something beside addresses in From")]
    [InlineData("From: <a@example.com> <b@example.net>\r\n\r\n", "something beside addresses in From")]
    [InlineData("From: a@example.com (b@example.net\r\n\r\n", "something beside addresses in From")]
    [InlineData("From :\r\n a@example.com (a comment, b@example.net)\r\n\r\n", null)]
    public void The_author_is_one_field_with_domains(string header, string? detail) =>
        AuthorDomains.Read(Encoding.UTF8.GetBytes(header)).Detail.ShouldBe(detail);

    [Fact]
    public void An_authors_domain_in_other_letters_is_looked_up_by_its_A_labels() =>
        AuthorDomains.Read(From("a@Bücher.example")).Domains.ShouldBe(["xn--bcher-kva.example"]);

    [Fact]
    public async Task Of_several_authors_the_strictest_failure_counts_and_none_passes()
    {
        var dns = new DnsTable().Txt("_dmarc.example.com", "v=DMARC1; p=none").Txt("_dmarc.example.net", "v=DMARC1; p=reject");
        var header = Encoding.ASCII.GetBytes("From: a@example.com\r\nFrom: b@example.net\r\n\r\n");
        var forged = await new DmarcVerifier(dns).EvaluateAsync(header, Passed("example.com"), Unsigned, default);
        forged.Requested.ShouldBe(DmarcPolicy.Reject);
        var both = await new DmarcVerifier(dns).EvaluateAsync(header, Passed("example.com"), [Signed("example.net")], default);
        both.Result.ShouldBe(DmarcResult.PermError);
    }

    // p=reject of example.net must not be evaded by hiding it among others, nor by a From that readers understand differently.
    [Theory]
    [InlineData("From: a@d1.example, a@d2.example, a@d3.example, a@d4.example, boss@example.net", true)]
    [InlineData("From: <me@example.com> <boss@example.net>", true)]
    [InlineData("From: me@example.com, =?utf-8?q?boss=40example.net?=", true)]
    [InlineData("From: me@example.com\r\nFrom: me@example.com", true)]
    [InlineData("From: undisclosed:;", true)]
    [InlineData("Subject: x", true)]
    // All of them were asked, and none minds.
    [InlineData("From: me@example.com, you@example.org", false)]
    public async Task A_From_that_not_everybody_could_be_asked_for_is_put_aside(string header, bool aside)
    {
        var dns = new DnsTable().Txt("_dmarc.example.net", "v=DMARC1; p=reject");
        var outcome = await new DmarcVerifier(dns).EvaluateAsync(
            Encoding.ASCII.GetBytes(header + "\r\n\r\n"), Passed("example.com"), [Signed("example.net")], default);
        outcome.Result.ShouldBe(DmarcResult.PermError);
        outcome.Requested.ShouldBe(aside ? DmarcPolicy.Quarantine : DmarcPolicy.None);
    }

    [Fact]
    public async Task A_key_that_is_being_tested_makes_no_difference() // RFC 6376 §3.6.1
    {
        var verifier = new DmarcVerifier(new DnsTable().Txt("_dmarc.example.com", "v=DMARC1; p=reject"));
        var testing = Signed("example.com") with { IsTesting = true };
        (await verifier.EvaluateAsync(From("a@example.com"), null, [testing], default)).Result.ShouldBe(DmarcResult.Fail);
        (await verifier.EvaluateAsync(From("a@example.com"), null, [testing, Signed("example.com")], default)).Result.ShouldBe(DmarcResult.Pass);
        (await verifier.EvaluateAsync(From("a@example.com"), Passed("example.com"), [testing], default)).Result.ShouldBe(DmarcResult.Pass);
    }

    // RFC 6376 §8.2: whoever appends to a body that is signed up to l= is not its author.
    [Fact]
    public async Task A_body_with_more_behind_l_is_nobodys()
    {
        var mail = Dkim.Mail.Of("From: a@example.org\r\n\r\nsigned\r\nappended\r\n").Sign("v=1; a=rsa-sha256; d=example.org; s=r1; h=from; l=8");
        var results = await mail.VerifyAsync(TestKeys.Dns());
        results.ShouldHaveSingleItem().Verdict.ShouldBe(DkimVerdict.Policy);
        var verifier = new DmarcVerifier(new DnsTable().Txt("_dmarc.example.org", "v=DMARC1; p=reject"));
        (await verifier.EvaluateAsync(mail.Header, null, results, default)).Result.ShouldBe(DmarcResult.Fail);
    }

    [Fact]
    public async Task What_cannot_be_asked_for_is_no_failure()
    {
        var verifier = new DmarcVerifier(new DnsTable().Fail("_dmarc.example.com"));
        (await verifier.EvaluateAsync(From("a@example.com"), null, Unsigned, default)).Result.ShouldBe(DmarcResult.TempError);
        verifier = new DmarcVerifier(new DnsTable().Txt("_dmarc.example.com", "v=DMARC1; p=reject"));
        DkimResult unknown = new(DkimVerdict.TempError, "no answer") { Domain = "example.com" };
        var outcome = await verifier.EvaluateAsync(From("a@example.com"), null, [unknown], default);
        outcome.Result.ShouldBe(DmarcResult.TempError);
        outcome.Requested.ShouldBe(DmarcPolicy.None);
        // Of another domain it would not have helped.
        outcome = await verifier.EvaluateAsync(From("a@example.com"), null, [unknown with { Domain = "example.net" }], default);
        outcome.Result.ShouldBe(DmarcResult.Fail);
    }

    [Fact]
    public void No_record_and_no_header_however_hostile_breaks_the_check()
    {
        var pieces = Gen.Elements("v=DMARC1", ";", "p=reject", "=", "psd=y", "psd=n", " ", "\u00ff", "np=", "rua=mailto:x", "From: ", "a@b.example", "<", ">", ",", ":", "\r\n ", "\r\n", "\"", "(", "@", "..");
        var texts = pieces.NonEmptyListOf().Select(parts => string.Concat(parts));
        Prop.ForAll(texts.ToArbitrary(), async text =>
        {
            var dns = new DnsTable().Txt("_dmarc.b.example", "v=DMARC1;" + text);
            await new DmarcVerifier(dns).EvaluateAsync(Encoding.Latin1.GetBytes("From: a@b.example\r\n" + text), Passed("x.b.example"), Unsigned, default);
            return dns.Questions < 8 * 2 * DmarcVerifier.MaxAuthors;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(1000));
    }

    private static byte[] From(string address) => Encoding.UTF8.GetBytes($"From: Somebody <{address}>\r\nSubject: x\r\n\r\n");

    private static SpfOutcome Passed(string domain) => new(SpfResult.Pass, SpfIdentity.MailFrom, domain, null, null);

    private static DkimResult Signed(string domain) => new(DkimVerdict.Pass, "") { Domain = domain };
}
