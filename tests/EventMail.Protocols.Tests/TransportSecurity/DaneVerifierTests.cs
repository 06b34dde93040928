using System.Security.Cryptography.X509Certificates;
using EventMail.Protocols.Dns;
using EventMail.Protocols.TransportSecurity;
using EventMail.Testing;
using static EventMail.Testing.TestAuthority;

namespace EventMail.Protocols.Tests.TransportSecurity;

/// <summary>Which chains TLSA records allow (RFC 7672 §3).</summary>
public sealed class DaneVerifierTests
{
    private const string Mx = "mx.example.test";

    private static readonly TestAuthority Authority = new();
    private static readonly X509Certificate2 Server = Authority.Server(Mx);

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, 1)]
    [InlineData(0, 2)]
    [InlineData(1, 0)]
    [InlineData(1, 1)]
    [InlineData(1, 2)]
    public void A_record_names_a_certificate_or_its_key_whole_or_by_digest(byte selector, byte matching)
    {
        Refusal(Server, [], Tlsa(3, selector, matching, Server)).ShouldBeNull();
        Refusal(Authority.Server(Mx), [], Tlsa(3, selector, matching, Server)).ShouldBe("the certificate matches no TLSA record");
        Refusal(Server, [Authority.Intermediate, Authority.Root], Tlsa(2, selector, matching, Authority.Root)).ShouldBeNull();
        Refusal(Server, [Authority.Intermediate], Tlsa(2, selector, matching, Authority.Intermediate)).ShouldBeNull();
        Refusal(Server, [Authority.Intermediate, Authority.Root], Tlsa(2, selector, matching, new TestAuthority().Root)).ShouldNotBeNull();
    }

    [Fact]
    public void DANE_EE_asks_for_neither_name_nor_date_nor_issuer()
    {
        var expired = SelfSigned("elsewhere.test", days: -1);
        Refusal(expired, [], Tlsa(3, 1, 1, expired)).ShouldBeNull();
    }

    [Fact]
    public void DANE_TA_asks_for_a_name()
    {
        var other = Authority.Server("elsewhere.test");
        var record = Tlsa(2, 0, 1, Authority.Root);
        Refusal(other, [Authority.Intermediate, Authority.Root], record).ShouldBe("the certificate is for none of mx.example.test, example.test");
        // §3.2.2: the next hop is a name, too.
        Refusal(Authority.Server("example.test"), [Authority.Intermediate, Authority.Root], record).ShouldBeNull();
        Refusal(Authority.Server("*.example.test"), [Authority.Intermediate, Authority.Root], record).ShouldBeNull();
        Refusal(Authority.Server(Mx, commonNameOnly: true), [Authority.Intermediate, Authority.Root], record).ShouldBeNull();
    }

    [Fact]
    public void DANE_TA_asks_for_dates() =>
        Refusal(Authority.Server(Mx, days: -1), [Authority.Intermediate, Authority.Root], Tlsa(2, 0, 1, Authority.Root))!.ShouldContain("NotTimeValid");

    [Fact]
    public void DANE_TA_asks_for_signatures_up_to_the_anchor()
    {
        // The same names, other keys: the anchor is in the chain, but it signed nothing.
        var forger = new TestAuthority();
        Refusal(forger.Server(Mx), [forger.Intermediate, Authority.Root], Tlsa(2, 0, 1, Authority.Root)).ShouldNotBeNull();
        Refusal(forger.Server(Mx), [Authority.Intermediate, Authority.Root], Tlsa(2, 0, 1, Authority.Root)).ShouldNotBeNull();
        Refusal(forger.Server(Mx), [Authority.Intermediate], Tlsa(2, 0, 1, Authority.Intermediate)).ShouldNotBeNull();
        Refusal(SelfSigned(Mx), [Authority.Root], Tlsa(2, 0, 1, Authority.Root)).ShouldNotBeNull();
    }

    [Fact]
    public void An_anchor_that_the_server_does_not_send_does_where_the_record_holds_it()
    {
        Refusal(Server, [Authority.Intermediate], Tlsa(2, 0, 0, Authority.Root)).ShouldBeNull();
        Refusal(Server, [Authority.Intermediate], Tlsa(2, 0, 1, Authority.Root)).ShouldBe("no certificate of the chain matches a TLSA record");
    }

    [Fact]
    public void The_servers_own_certificate_is_no_anchor()
    {
        var own = SelfSigned(Mx);
        Refusal(own, [own], Tlsa(2, 0, 1, own)).ShouldNotBeNull();
    }

    [Fact]
    public void One_record_that_fits_is_enough()
    {
        Refusal(Server, [], Tlsa(3, 1, 1, Authority.Root), Tlsa(2, 1, 1, Authority.Root), Tlsa(3, 1, 1, Server)).ShouldBeNull();
    }

    [Fact]
    public void A_chain_of_too_many_certificates_is_not_looked_at() =>
        Refusal(Server, [.. Enumerable.Repeat(Authority.Intermediate, DaneVerifier.MaxPresented + 1)], Tlsa(2, 0, 1, Authority.Intermediate))
            .ShouldBe("the server presented more than 16 certificates");

    [Fact]
    public void Records_of_PKIX_usages_and_malformed_ones_cannot_be_used()
    {
        TlsaUsability.Usable([Tlsa(0, 0, 1, Server), Tlsa(1, 1, 1, Server), new(3, 2, 1, new byte[32]), new(3, 1, 3, new byte[32]), new(3, 1, 1, new byte[31]),
            new(3, 1, 2, new byte[32]), new(3, 0, 0, Array.Empty<byte>()), new(4, 0, 1, new byte[32])]).ShouldBeEmpty();
        TlsaUsability.Usable([Tlsa(3, 1, 1, Server), Tlsa(0, 0, 1, Server)]).Count.ShouldBe(1);
    }

    [Fact]
    public void Of_digests_of_one_kind_only_the_strongest_counts()
    {
        TlsaRecord[] records = [Tlsa(3, 1, 1, Server), Tlsa(3, 1, 2, Authority.Root), Tlsa(3, 1, 0, Server), Tlsa(3, 0, 1, Server), Tlsa(2, 1, 1, Server)];
        TlsaUsability.Usable(records).ShouldBe(records[1..]);
    }

    private static string? Refusal(X509Certificate2 certificate, X509Certificate2[] presented, params TlsaRecord[] records) =>
        new DaneVerifier(records, [Mx, "example.test"]).Refusal(certificate, presented);
}
