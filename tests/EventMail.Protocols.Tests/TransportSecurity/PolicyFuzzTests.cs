using System.Text;
using EventMail.Protocols.Dns;
using EventMail.Protocols.TransportSecurity;
using EventMail.Testing;
using FsCheck;
using FsCheck.Fluent;

namespace EventMail.Protocols.Tests.TransportSecurity;

/// <summary>Whatever a domain publishes of its policies: it is one or none.</summary>
public sealed class PolicyFuzzTests
{
    private static readonly TestAuthority Authority = new();
    private static readonly System.Security.Cryptography.X509Certificates.X509Certificate2 Server = Authority.Server("mx.test");

    private static readonly string[] Pieces =
    [
        "v=STSv1", "v=STSv1;", "id=1", "id=", ";", " ", "=", "version: STSv1\n", "mode: enforce\n", "mode: ", "mx: *.a.test\r\n", "mx: ", "mx", "*", "*.", "..", "max_age: 604800\n",
        "max_age: ", "99999999999", "-1", ":", "\n", "\r", "\0", "ü", "a.test", new('x', 70),
    ];

    [Fact]
    public void Any_text_is_a_policy_or_none() => Check.One(Times, Prop.ForAll(Gen.Elements(Pieces).ListOf().Select(string.Concat).ToArbitrary(), text =>
    {
        MtaStsText.IdOf([new(Encoding.Latin1.GetBytes(text))]);
        foreach (var policy in new[] { text, $"version: STSv1\nmode: enforce\nmax_age: 1\nmx: {text}" })
        {
            var found = MtaStsText.Parse(policy, "1", out var fault);
            (found is null).ShouldBe(fault is not null);
            found?.Allows(text);
        }
    }));

    [Fact]
    public void Any_TLSA_records_allow_a_certificate_or_say_why_not() => Check.One(Times, Prop.ForAll(
        Gen.Choose(0, 4).ToArbitrary(), Gen.Choose(0, 3).ToArbitrary(), Gen.Choose(0, 255).Select(octet => (byte)octet).ListOf().ToArbitrary(), (usage, matching, octets) =>
        {
            var certificate = Authority.Intermediate.RawData.ToArray();
            for (var i = 0; i < octets.Count; i++)
                certificate[octets[i] * certificate.Length / 256] ^= octets[^(i + 1)];
            foreach (var data in new byte[][] { [.. octets], certificate })
            {
                var record = new TlsaRecord((byte)usage, (byte)(matching & 1), (byte)matching, data);
                new DaneVerifier(TlsaUsability.Usable([record]), ["mx.test"]).Refusal(Server, [Authority.Intermediate]);
            }
        }));

    private static Config Times => Config.QuickThrowOnFailure.WithMaxTest(FuzzTimes.Of(300)).WithEndSize(30);
}
