using System.Net;
using EventMail.Host.Delivery.Attempts;
using EventMail.Protocols.Dns;
using EventMail.Protocols.Smtp.Client;
using EventMail.Protocols.TransportSecurity;

namespace EventMail.Host.Tests.Delivery;

/// <summary>Whose connection a message may use: one whose host was held against the same.</summary>
public sealed class ConnectionKeyTests
{
    private static readonly TlsaRecord Anchor = new(2, 0, 1, new byte[32]);
    private static readonly TlsaRecord OtherAnchor = new(2, 0, 1, Enumerable.Repeat((byte)1, 32).ToArray());
    private static readonly TlsaRecord Certificate = new(3, 1, 1, new byte[32]);

    [Fact]
    public void What_DANE_proved_is_not_what_a_CA_proved() =>
        Key(new() { Requirement = TlsRequirement.Verified, Policy = "requiretls" }).ShouldNotBe(Dane("requiretls", ["mx.test", "a.test"], Anchor));

    [Fact]
    public void Under_an_anchor_the_names_count() // RFC 7672 §3.1.2, §3.2.2
    {
        Dane("dane", ["mx.test", "a.test"], Anchor).ShouldBe(Dane("dane", ["a.test", "mx.test"], Anchor));
        Dane("dane", ["mx.test", "a.test"], Anchor).ShouldNotBe(Dane("dane", ["mx.test", "b.test"], Anchor));
    }

    [Fact]
    public void Other_records_are_another_proof()
    {
        Dane("dane", ["mx.test"], Anchor).ShouldNotBe(Dane("dane", ["mx.test"], OtherAnchor));
        Dane("dane", ["mx.test"], Anchor, Certificate).ShouldBe(Dane("dane", ["mx.test"], Certificate, Anchor));
    }

    [Fact]
    public void Names_that_a_CA_vouches_for_count() =>
        Key(new() { Requirement = TlsRequirement.Verified, Names = ["mx.test"] }).ShouldNotBe(Key(new() { Requirement = TlsRequirement.Verified, Names = ["b.test"] }));

    private static ConnectionKey Dane(string policy, string[] names, params TlsaRecord[] records)
    {
        var answer = new DaneAnswer(DaneStatus.Authenticated, records, "mx.test", names, null);
        return Key(new()
        {
            Requirement = TlsRequirement.Verified,
            Policy = policy,
            ServerName = answer.ServerName,
            Names = answer.Names,
            CheckedBy = answer.Fingerprint,
            Check = (certificate, others) => answer.Refusal(certificate, [.. others]),
        });
    }

    private static ConnectionKey Key(ClientTls tls) =>
        ConnectionKey.Of(new("mx.test", new(IPAddress.Loopback, 25)), new() { HelloName = "us.test", Tls = tls });
}
