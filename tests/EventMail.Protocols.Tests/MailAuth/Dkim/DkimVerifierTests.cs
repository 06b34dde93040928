using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using EventMail.Protocols.MailAuth.Dkim;

namespace EventMail.Protocols.Tests.MailAuth.Dkim;

/// <summary>RFC 6376 §3.5, §3.6.1 and §6.1, rule by rule, in the words of RFC 8601 §2.7.1.</summary>
public sealed class DkimVerifierTests
{
    private const string Good = " v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=r1; h=from:to:subject";

    private static readonly Mail Plain = Mail.Of("From: a@example.org\nTo: b@example.net\nSubject: one\nSubject: two\n\nfirst line\nsecond line\n");

    [Fact]
    public async Task A_message_without_a_signature_has_none() =>
        (await Plain.VerifyAsync(TestKeys.Dns())).ShouldHaveSingleItem().ShouldBe(DkimResult.NotSigned);

    [Theory]
    // §3.2: folding white space around names, "=" and values; unknown tags; a ";" at the end.
    [InlineData(" v = 1 ;\r\n\ta=rsa-sha256;c=relaxed/relaxed; d=example.org\r\n ; s=r1; x_y=z; h=from:to:subject")]
    // §3.5: white space around the colons, names in any case, names that are not there, a name twice.
    [InlineData(" v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=r1; h=FROM :\r\n To : x-none: subject:Subject:subject")]
    // §3.5: c= defaults to simple/simple, and the body alone to simple.
    [InlineData(" v=1; a=rsa-sha256; d=example.org; s=r1; h=from")]
    [InlineData(" v=1; a=rsa-sha256; c=relaxed; d=example.org; s=r1; h=from")]
    [InlineData(" v=1; a=rsa-sha256; c=simple/relaxed; d=example.org; s=r1; h=from")]
    [InlineData(" v=1; a=rsa-sha256; q=x/y : dns/txt; d=EXAMPLE.org; s=R1; h=from; i=@Sub.Example.ORG")]
    [InlineData(" v=1; a=ed25519-sha256; d=example.org; s=e1; h=from; t=1779999999; x=1780000001")]
    // §3.5: "MAY consider any value longer than 12 digits to be infinite"; up to 12 they count.
    [InlineData(" v=1; a=rsa-sha256; d=example.org; s=r1; h=from; x=999999999999")]
    // §3.5: l= as long as all of the body.
    [InlineData(" v=1; a=rsa-sha256; d=example.org; s=r1; h=from; l=25")]
    [InlineData(" v=1; a=rsa-sha256; d=example.org; s=r1; h=from; z=From:a@example.org|To:b=20b")]
    public async Task A_signature_in_any_form_of_the_grammar_passes(string tags)
    {
        var result = (await Plain.Sign(tags).VerifyAsync(TestKeys.Dns())).ShouldHaveSingleItem();
        (result.Verdict, result.Reason).ShouldBe((DkimVerdict.Pass, ""));
    }

    [Theory]
    [InlineData("v=1;", "v=2;", DkimVerdict.PermError, "incompatible version")]
    [InlineData("v=1;", "v=01;", DkimVerdict.PermError, "incompatible version")]
    [InlineData("v=1;", "", DkimVerdict.PermError, "signature missing required tag v=")]
    [InlineData("a=rsa-sha256;", "", DkimVerdict.PermError, "signature missing required tag a=")]
    [InlineData("d=example.org;", "", DkimVerdict.PermError, "signature missing required tag d=")]
    [InlineData("s=r1;", "", DkimVerdict.PermError, "signature missing required tag s=")]
    [InlineData("; h=from:to:subject", "", DkimVerdict.PermError, "signature missing required tag h=")]
    [InlineData("a=rsa-sha256", "a=rsa-sha1", DkimVerdict.PermError, "rsa-sha1 is historic")]
    [InlineData("a=rsa-sha256", "a=RSA-SHA256", DkimVerdict.PermError, "unknown algorithm")]
    [InlineData("h=from:to:subject", "h=to:subject", DkimVerdict.PermError, "From field not signed")]
    [InlineData("h=from:to:subject", "h=from::to", DkimVerdict.Neutral, "h= is no list of field names")]
    [InlineData("c=relaxed/relaxed", "c=relaxed/nofws", DkimVerdict.PermError, "unknown canonicalization")]
    [InlineData("v=1;", "v=1; q=dns/dkk;", DkimVerdict.PermError, "unknown query method")]
    [InlineData("d=example.org", "d=org", DkimVerdict.PermError, "d= is no domain")]
    [InlineData("d=example.org", "d=[192.0.2.1]", DkimVerdict.PermError, "d= is no domain")]
    [InlineData("d=example.org", "d=exam ple.org", DkimVerdict.PermError, "d= is no domain")]
    [InlineData("s=r1", "s=r1..x", DkimVerdict.PermError, "s= is no selector")]
    [InlineData("s=r1", "s=", DkimVerdict.PermError, "s= is no selector")]
    [InlineData("v=1;", "v=1; i=a@example.com;", DkimVerdict.PermError, "domain mismatch of i= and d=")]
    [InlineData("v=1;", "v=1; i=a@badexample.org;", DkimVerdict.PermError, "domain mismatch of i= and d=")]
    [InlineData("v=1;", "v=1; i=example.org;", DkimVerdict.PermError, "i= is no identity")]
    [InlineData("v=1;", "v=1; t=-1;", DkimVerdict.Neutral, "t= is no number")]
    [InlineData("v=1;", "v=1; t=1234567890123;", DkimVerdict.Neutral, "t= is no number")]
    [InlineData("v=1;", "v=1; t=1780100000;", DkimVerdict.Policy, "signed in the future")]
    [InlineData("v=1;", "v=1; x=1779990000;", DkimVerdict.PermError, "signature expired")]
    [InlineData("v=1;", "v=1; t=1780000000; x=1780000000;", DkimVerdict.PermError, "x= is not later than t=")]
    [InlineData("v=1;", "v=1; l=12345678901234567890;", DkimVerdict.PermError, "l= is more than the body has")]
    [InlineData("v=1;", "v=1; l=26;", DkimVerdict.PermError, "l= is more than the body has")]
    [InlineData("v=1;", "v=1; l=10;", DkimVerdict.Policy, "the end of the body is not signed (l=)")]
    [InlineData("v=1;", "v=1; l=x;", DkimVerdict.Neutral, "l= is no number")]
    [InlineData("v=1;", "v=1; v=1;", DkimVerdict.Neutral, "signature syntax error: a tag that is there twice")]
    [InlineData("v=1;", "v=1; 1x=y;", DkimVerdict.Neutral, "signature syntax error: a tag with a bad name")]
    [InlineData("v=1;", "v=1; nothing;", DkimVerdict.Neutral, "signature syntax error: a tag without a value")]
    [InlineData("v=1;", "v=1;; ", DkimVerdict.Neutral, "signature syntax error: a tag without a value")]
    [InlineData("s=r1;", "s=none;", DkimVerdict.PermError, "no key for signature")]
    [InlineData("s=r1;", "s=slow;", DkimVerdict.TempError, "key unavailable")]
    [InlineData("s=r1;", "s=e1;", DkimVerdict.PermError, "inappropriate key algorithm")]
    [InlineData("v=1; a=rsa-sha256", "v=1; a=ed25519-sha256", DkimVerdict.PermError, "inappropriate key algorithm")]
    public async Task What_a_signature_must_not_be_is_said(string what, string by, DkimVerdict verdict, string reason)
    {
        var dns = TestKeys.Dns().Fail("slow._domainkey.example.org");
        // Made right, then changed: a fault that needs no key is found before the key is asked for.
        var mail = Plain.Sign(Good).Replace(what, by);
        if (by.Contains("l=10", StringComparison.Ordinal))
            mail = Plain.Sign(Good.Replace(what, by, StringComparison.Ordinal));

        var result = (await mail.VerifyAsync(dns)).ShouldHaveSingleItem();

        (result.Verdict, result.Reason).ShouldBe((verdict, reason));
    }

    [Theory]
    [InlineData("k=rsa; p={0}", DkimVerdict.Pass, "")]
    [InlineData("p={0}; n=a note; g=*; x=y", DkimVerdict.Pass, "")]
    [InlineData(" v=DKIM1 ; h=sha1 : sha256; s=other:email; t=x:y; p= {0} ;", DkimVerdict.Pass, "")]
    [InlineData("v=DKIM1; s=*; p={0}", DkimVerdict.Pass, "")]
    [InlineData("v=DKIM1; p=", DkimVerdict.PermError, "key revoked")]
    [InlineData("v=DKIM2; p={0}", DkimVerdict.PermError, "key of another version")]
    [InlineData("p={0}; v=DKIM1", DkimVerdict.PermError, "key of another version")]
    [InlineData("v=DKIM1; k=rsa", DkimVerdict.PermError, "key syntax error: no p=")]
    [InlineData("v=DKIM1; p=***", DkimVerdict.PermError, "key syntax error: p= is not base64")]
    [InlineData("v=DKIM1; p=AAAA", DkimVerdict.PermError, "key syntax error: no RSA key")]
    [InlineData("v=DKIM1; k=dsa; p={0}", DkimVerdict.PermError, "inappropriate key algorithm")]
    [InlineData("v=DKIM1; h=sha1; p={0}", DkimVerdict.PermError, "inappropriate hash algorithm")]
    [InlineData("v=DKIM1; s=tlsrpt; p={0}", DkimVerdict.PermError, "key not for mail")]
    [InlineData("v=spf1 -all", DkimVerdict.PermError, "key of another version")]
    [InlineData("anything", DkimVerdict.PermError, "key syntax error: a tag without a value")]
    public async Task A_key_is_taken_as_its_record_says(string record, DkimVerdict verdict, string reason)
    {
        var dns = new DnsTable().Txt("r1._domainkey.example.org", record.Replace("{0}", Convert.ToBase64String(TestKeys.Rsa.PublicKey), StringComparison.Ordinal));

        var result = (await Plain.Sign(Good).VerifyAsync(dns)).ShouldHaveSingleItem();

        (result.Verdict, result.Reason).ShouldBe((verdict, reason));
        result.IsTesting.ShouldBe(record.Contains("t=x:y", StringComparison.Ordinal));
    }

    // §3.6.1, t=s: "the "i=" domain MUST NOT be a subdomain of "d="".
    [Theory]
    [InlineData("; i=a@example.org;", DkimVerdict.Pass)]
    [InlineData("", DkimVerdict.Pass)]
    [InlineData("; i=a@sub.example.org;", DkimVerdict.PermError)]
    public async Task A_strict_key_allows_no_subdomain(string identity, DkimVerdict verdict)
    {
        var dns = new DnsTable().Txt("r1._domainkey.example.org", TestKeys.Record(TestKeys.Rsa) + "; t=y:s");

        (await Plain.Sign(Good + identity).VerifyAsync(dns)).ShouldHaveSingleItem().Verdict.ShouldBe(verdict);
    }

    // §6.1.2, step 4.
    [Fact]
    public async Task Of_several_records_the_one_that_verifies_counts_and_not_more_than_five_are_tried()
    {
        var name = "r1._domainkey.example.org";
        var other = TestKeys.Record(DkimKeyPair.Generate(DkimAlgorithm.RsaSha256));
        var dns = new DnsTable().Txt(name, "v=spf1 -all").Txt(name, other).Txt(name, TestKeys.Record(TestKeys.Rsa));
        (await Plain.Sign(Good).VerifyAsync(dns)).ShouldHaveSingleItem().Verdict.ShouldBe(DkimVerdict.Pass);

        var many = new DnsTable();
        for (var i = 0; i < 5; i++)
            many.Txt(name, other);
        (await Plain.Sign(Good).VerifyAsync(many.Txt(name, TestKeys.Record(TestKeys.Rsa)))).ShouldHaveSingleItem().Reason.ShouldBe("signature did not verify");
    }

    [Theory]
    [InlineData(1016, DkimVerdict.Policy, "RSA key of 1016 bits is too short")]
    [InlineData(1024, DkimVerdict.Pass, "")]
    [InlineData(2048, DkimVerdict.Pass, "")]
    [InlineData(2056, DkimVerdict.Policy, "RSA key of 2056 bits is too long")]
    public async Task RSA_keys_are_neither_too_short_nor_too_long(int bits, DkimVerdict verdict, string reason)
    {
        // Keys of more than 4096 bits take long to make.
        (DkimLimits.Default.RsaMinimum, DkimLimits.Default.RsaMaximum).ShouldBe((1024, 4096));
        var limits = new DkimLimits { RsaMaximum = 2048 };
        using var rsa = RSA.Create(bits);
        var key = new DkimSigningKey("example.org", "r1", DkimAlgorithm.RsaSha256, rsa.ExportPkcs8PrivateKey());
        // As PKCS #1 too: what RFC 6376 §3.6.1 names.
        var dns = new DnsTable().Txt("r1._domainkey.example.org", $"p={Convert.ToBase64String(rsa.ExportRSAPublicKey())}");

        var result = (await Plain.Sign(Good, key: key).VerifyAsync(dns, limits)).ShouldHaveSingleItem();

        (result.Verdict, result.Reason).ShouldBe((verdict, reason));
    }

    // §5.4.2: h= goes from the bottom up, and one name more than there are fields keeps others from being added.
    [Fact]
    public async Task Fields_of_one_name_are_signed_from_the_bottom()
    {
        var once = Plain.Sign(" v=1; a=rsa-sha256; c=relaxed/simple; d=example.org; s=r1; h=from:subject");
        (await once.Replace("Subject: one", "Subject: other").VerifyAsync(TestKeys.Dns())).Single().Verdict.ShouldBe(DkimVerdict.Pass);
        (await once.Replace("Subject: two", "Subject: other").VerifyAsync(TestKeys.Dns())).Single().Verdict.ShouldBe(DkimVerdict.Fail);
        (await once.Replace("Subject: one", "Subject: zero\r\nSubject: one").VerifyAsync(TestKeys.Dns())).Single().Verdict.ShouldBe(DkimVerdict.Pass);

        var over = Plain.Sign(" v=1; a=rsa-sha256; c=relaxed/simple; d=example.org; s=r1; h=from:subject:subject:subject:x-none");
        (await over.VerifyAsync(TestKeys.Dns())).Single().Verdict.ShouldBe(DkimVerdict.Pass);
        (await over.Replace("Subject: one", "Subject: zero\r\nSubject: one").VerifyAsync(TestKeys.Dns())).Single().Verdict.ShouldBe(DkimVerdict.Fail);
        (await over.Replace("To: b", "X-None: x\r\nTo: b").VerifyAsync(TestKeys.Dns())).Single().Verdict.ShouldBe(DkimVerdict.Fail);
    }

    // §3.7: "The DKIM-Signature header field MUST NOT be included in its own h= tag", others may be.
    [Fact]
    public async Task A_signature_may_cover_another_signature_but_not_itself()
    {
        var inner = Plain.Sign(Good);
        var outer = inner.Sign(" v=1; a=ed25519-sha256; c=simple/simple; d=example.org; s=e1; h=from:dkim-signature:dkim-signature");

        (await outer.VerifyAsync(TestKeys.Dns())).Select(result => result.Verdict).ShouldBe([DkimVerdict.Pass, DkimVerdict.Pass]);
        (await outer.Replace("h=from:to:subject", "h=from:to: subject").VerifyAsync(TestKeys.Dns())).Select(result => result.Verdict)
            .ShouldBe([DkimVerdict.Fail, DkimVerdict.Fail]);
    }

    [Fact]
    public async Task The_end_of_a_body_behind_l_is_taken_when_that_is_wanted()
    {
        var mail = Plain.Sign(" v=1; a=rsa-sha256; d=example.org; s=r1; h=from; l=12");
        var longer = mail with { Body = [.. mail.Body, .. "advertisement\r\n"u8] };

        (await longer.VerifyAsync(TestKeys.Dns())).Single().Verdict.ShouldBe(DkimVerdict.Policy);
        (await longer.VerifyAsync(TestKeys.Dns(), new() { AcceptUnsignedTail = true })).Single().Verdict.ShouldBe(DkimVerdict.Pass);
    }

    // RFC 8616 §5: U-labels and UTF-8 in tags of internationalized messages.
    [Fact]
    public async Task Names_in_UTF_8_are_looked_up_as_A_labels()
    {
        var dns = new DnsTable().Txt("r1._domainkey.xn--bcher-kva.example", TestKeys.Record(TestKeys.Rsa));
        var tags = Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(" v=1; a=rsa-sha256; d=bücher.example; s=r1; h=from; i=jürgen@bücher.example"));

        var result = (await Plain.Sign(tags).VerifyAsync(dns)).Single();

        (result.Verdict, result.Reason, result.Domain, result.Identity).ShouldBe((DkimVerdict.Pass, "", "xn--bcher-kva.example", null));
    }

    [Fact]
    public async Task The_signatures_that_are_looked_at_are_bounded_and_a_key_is_asked_for_once()
    {
        var mail = Plain;
        for (var i = 0; i < 30; i++)
            mail = mail.Sign(Good);
        var dns = TestKeys.Dns();

        (await mail.VerifyAsync(dns)).Count.ShouldBe(10);
        dns.Questions.ShouldBe(1);
    }

    [Fact]
    public async Task More_hashes_of_one_body_than_allowed_are_refused()
    {
        var mail = Plain;
        for (var i = 0; i < 7; i++)
            mail = mail.Sign($" v=1; a=rsa-sha256; d=example.org; s=r1; h=from; l={i}");

        (await mail.VerifyAsync(TestKeys.Dns(), new() { AcceptUnsignedTail = true })).Select(result => result.Reason)
            .ShouldBe(["", "", "", "", "", "too many ways to hash the body", "too many ways to hash the body"]);
    }

    [Fact]
    public async Task Hostile_headers_cost_little()
    {
        var from = "From: a@example.org\r\n";
        var names = string.Join(':', Enumerable.Repeat("from", 12_000));
        var hostile = new (string Header, DkimVerdict Verdict, string Reason)[]
        {
            (string.Concat(Enumerable.Repeat("X: y\r\n", 170_000)) + from, DkimVerdict.Policy, "too many header fields"),
            ($"DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=r1; bh=AA==; b=AA==; h={names}\r\n{from}", DkimVerdict.PermError, "too many names in h="),
            ($"DKIM-Signature: b={new string(' ', 1_000_000)}\r\n{from}", DkimVerdict.Policy, "signature too long"),
            ($"DKIM-Signature: {string.Concat(Enumerable.Range(0, 20_000).Select(i => "a=;"))}\r\n{from}", DkimVerdict.Neutral, "signature syntax error: a tag that is there twice"),
            ($"DKIM-Signature: {string.Concat(Enumerable.Range(0, 5_000).Select(i => $"a{i}=;"))}\r\n{from}", DkimVerdict.Neutral, "signature syntax error: too many tags"),
            ("DKIM-Signature:", DkimVerdict.Neutral, "signature syntax error: no tags"),
            ("DKIM-Signature: \0=\0;\r\n", DkimVerdict.Neutral, "signature syntax error: a tag with a bad name"),
        };
        var watch = Stopwatch.StartNew();
        foreach (var (header, verdict, reason) in hostile)
        {
            var result = (await new Mail(Encoding.Latin1.GetBytes(header), []).VerifyAsync(TestKeys.Dns())).ShouldHaveSingleItem();
            (result.Verdict, result.Reason).ShouldBe((verdict, reason));
        }
        // Ten signatures over a megabyte of fields each.
        var large = Mail.Of(string.Concat(Enumerable.Range(0, 900).Select(i => $"X: {new string((char)('a' + i % 26), 1_000)}\r\n")) + from + "\r\nx\r\n");
        var signed = large;
        for (var i = 0; i < 10; i++)
            signed = signed.Sign($" v=1; a=rsa-sha256; c=relaxed/simple; d=example.org; s=r1; h=from:{string.Join(':', Enumerable.Repeat("x", 900))}", large);
        (await signed.VerifyAsync(TestKeys.Dns())).ShouldAllBe(result => result.Verdict == DkimVerdict.Pass);
        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromMinutes(1));
    }
}
