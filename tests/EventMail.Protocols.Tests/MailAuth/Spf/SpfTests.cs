using System.Net;
using EventMail.Protocols.MailAuth;
using EventMail.Protocols.MailAuth.Spf;
using FsCheck;
using FsCheck.Fluent;

namespace EventMail.Protocols.Tests.MailAuth.Spf;

public sealed class SpfTests
{
    private static readonly IPAddress Client = IPAddress.Parse("192.0.2.3");

    // RFC 7208 §7.4: strong-bad@email.example.com, 192.0.2.3 and 2001:db8::cb01.
    [Theory]
    [InlineData("%{s}", "strong-bad@email.example.com")]
    [InlineData("%{o}", "email.example.com")]
    [InlineData("%{d}", "email.example.com")]
    [InlineData("%{d4}", "email.example.com")]
    [InlineData("%{d3}", "email.example.com")]
    [InlineData("%{d2}", "example.com")]
    [InlineData("%{d1}", "com")]
    [InlineData("%{dr}", "com.example.email")]
    [InlineData("%{d2r}", "example.email")]
    [InlineData("%{l}", "strong-bad")]
    [InlineData("%{l-}", "strong.bad")]
    [InlineData("%{lr}", "strong-bad")]
    [InlineData("%{lr-}", "bad.strong")]
    [InlineData("%{l1r-}", "strong")]
    [InlineData("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com")]
    [InlineData("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com")]
    [InlineData("%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com")]
    [InlineData("%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com")]
    [InlineData("%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net")]
    public void Macros_expand_as_the_examples_of_the_RFC(string text, string expected) =>
        MacroString.Parse(text).ShouldNotBeNull().Expand(letter => letter switch
        {
            's' => "strong-bad@email.example.com",
            'l' => "strong-bad",
            'i' => "192.0.2.3",
            'v' => "in-addr",
            _ => "email.example.com",
        }).ShouldBe(expected);

    [Theory]
    [InlineData("%{d0}")]
    [InlineData("%{d00}")]
    [InlineData("%{d2x}")]
    [InlineData("%{}")]
    [InlineData("%{d")]
    [InlineData("%")]
    [InlineData("a b")]
    [InlineData("\u00e9.example")]
    public void What_is_no_macro_string_is_refused(string text) => MacroString.Parse(text).ShouldBeNull();

    [Fact]
    public async Task What_a_client_calls_itself_is_an_identity_of_its_own()
    {
        var dns = new DnsTable().Txt("mx.example.net", "v=spf1 a -all").Address("mx.example.net", "192.0.2.3");
        var verifier = new SpfVerifier(dns, "receiver.example", TimeProvider.System);
        (await verifier.HeloAsync(Client, "MX.example.net", default)).ShouldBe(new(SpfResult.Pass, SpfIdentity.Helo, "mx.example.net", null, null));
        (await verifier.HeloAsync(IPAddress.Parse("192.0.2.4"), "mx.example.net", default)).Result.ShouldBe(SpfResult.Fail);
        (await verifier.HeloAsync(Client, "[192.0.2.3]", default)).Result.ShouldBe(SpfResult.None);
    }

    [Fact]
    public async Task The_null_reverse_path_is_checked_by_what_the_client_calls_itself()
    {
        var dns = new DnsTable().Txt("mx.example.net", "v=spf1 exists:%{l}.%{o} -all").Address("postmaster.mx.example.net", "127.0.0.2");
        var outcome = await new SpfVerifier(dns, "receiver.example", TimeProvider.System).MailFromAsync(Client, "mx.example.net", "", "", default);
        outcome.Result.ShouldBe(SpfResult.Pass);
        outcome.Domain.ShouldBe("mx.example.net");
    }

    [Fact]
    public async Task A_fault_says_what_is_wrong()
    {
        var dns = new DnsTable().Txt("example.net", "v=spf1 a:192.0.2.1 -all");
        var outcome = await new SpfVerifier(dns, "receiver.example", TimeProvider.System).MailFromAsync(Client, "x", "a", "example.net", default);
        outcome.Result.ShouldBe(SpfResult.PermError);
        outcome.Detail.ShouldBe("example.net: cannot read a:192.0.2.1");
    }

    [Fact]
    public async Task A_check_that_is_cancelled_ends()
    {
        using var cancel = new CancellationTokenSource(50);
        var dns = new DnsTable { Gate = new TaskCompletionSource().Task };
        await Should.ThrowAsync<OperationCanceledException>(async () =>
            await new SpfVerifier(dns, "receiver.example", TimeProvider.System).MailFromAsync(Client, "x", "a", "example.net", cancel.Token));
    }

    [Theory]
    [InlineData(2000, SpfResult.Fail)]
    [InlineData(2100, SpfResult.PermError)]
    public async Task A_record_full_of_macros_costs_no_more_time_than_a_question(int macros, SpfResult expected)
    {
        var local = string.Join('.', Enumerable.Repeat('a', 250));
        var exists = "exists:" + string.Concat(Enumerable.Repeat("%{l}", macros)) + ".example.net";
        var dns = new DnsTable().Txt("example.net", $"v=spf1 {exists} -all");
        var started = System.Diagnostics.Stopwatch.GetTimestamp();
        var outcome = await new SpfVerifier(dns, "receiver.example", TimeProvider.System).MailFromAsync(Client, "x", local, "example.net", default);
        outcome.Result.ShouldBe(expected);
        System.Diagnostics.Stopwatch.GetElapsedTime(started).ShouldBeLessThan(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public void A_name_that_is_too_long_loses_so_many_labels_at_its_left_that_it_fits()
    {
        DomainNames.Shorten($"{new string('x', 300)}.{new string('y', 250)}.b").ShouldBe($"{new string('y', 250)}.b");
        DomainNames.Shorten($"a.{new string('y', 251)}.b").ShouldBe($"{new string('y', 251)}.b");
        DomainNames.Shorten($"a.{new string('y', 252)}.b").ShouldBe("b");
        DomainNames.Shorten($"a.{new string('y', 249)}.b").ShouldBe($"a.{new string('y', 249)}.b");
        DomainNames.Shorten($"a.{new string('y', 300)}").ShouldBe(new string('y', 300));
    }

    [Fact]
    public void No_record_whatever_it_holds_costs_more_than_its_limits()
    {
        string[] words =
        [
            "a", "mx", "ptr", "all", "-all", "ip4:192.0.2.0/24", "ip6:::/0", "include:example.net", "include:%{d}", "redirect=example.net", "exists:%{l}.%{d}",
            "exp=%{p}.example.net", "a:%{p1r-}.x", "a//64", "mx/0//0", "x=%{", "%", "a:", "include", "/", ":", "=", "~", "a:..", "a:%{D255}.y", "\u00ff", "a:\\.example.net",
        ];
        var records = Gen.Elements(words).NonEmptyListOf().Select(terms => string.Join(' ', terms));
        Prop.ForAll(records.ToArbitrary(), async record =>
        {
            var dns = new DnsTable().Txt("example.net", "v=spf1 " + record).Address("example.net", "192.0.2.1").Pointer("192.0.2.3", "example.net");
            await new SpfVerifier(dns, "receiver.example", TimeProvider.System).MailFromAsync(Client, "h\\", "l o", "example.net", default, explain: true);
            // Ten terms with at most a policy, an address and the client's names each, the first policy and the explanation.
            return dns.Questions < 40;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));
    }
}
