using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EventMail.Protocols.Dns;

namespace EventMail.Testing;

/// <summary>A certificate authority of a test: a root, an intermediate, and servers' certificates under it.</summary>
public sealed class TestAuthority
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UtcNow;

    public TestAuthority()
    {
        Root = Authority("CN=test root", null);
        Intermediate = Authority("CN=test intermediate", Root);
    }

    public X509Certificate2 Root { get; }

    public X509Certificate2 Intermediate { get; }

    /// <summary>Under the intermediate.</summary>
    /// <param name="issuerUri">Where it says that the intermediate can be fetched.</param>
    public X509Certificate2 Server(string name, int days = 30, bool commonNameOnly = false, string? issuerUri = null) =>
        Leaf(Intermediate, name, days, commonNameOnly, issuerUri);

    public static X509Certificate2 SelfSigned(string name, int days = 30) => Leaf(null, name, days, false);

    public static TlsaRecord Tlsa(byte usage, byte selector, byte matching, X509Certificate2 certificate)
    {
        var selected = selector == 0 ? certificate.RawData : certificate.PublicKey.ExportSubjectPublicKeyInfo();
        return new(usage, selector, matching, matching switch
        {
            0 => selected,
            1 => SHA256.HashData(selected),
            _ => SHA512.HashData(selected),
        });
    }

    private static X509Certificate2 Authority(string name, X509Certificate2? issuer)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        return Signed(request, key, issuer, Now.AddDays(-100), Now.AddDays(300));
    }

    private static X509Certificate2 Leaf(X509Certificate2? issuer, string name, int days, bool commonNameOnly, string? issuerUri = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={(commonNameOnly ? name : "somebody")}", key, HashAlgorithmName.SHA256);
        if (!commonNameOnly)
        {
            var names = new SubjectAlternativeNameBuilder();
            names.AddDnsName(name);
            request.CertificateExtensions.Add(names.Build());
        }
        if (issuerUri is not null)
            request.CertificateExtensions.Add(new X509AuthorityInformationAccessExtension(null, [issuerUri]));
        return Signed(request, key, issuer, Now.AddDays(Math.Min(-1, days - 10)), Now.AddDays(days));
    }

    private static X509Certificate2 Signed(CertificateRequest request, ECDsa key, X509Certificate2? issuer, DateTimeOffset from, DateTimeOffset to)
    {
        using var made = issuer is null
            ? request.CreateSelfSigned(from, to)
            : request.Create(issuer, from, to, RandomNumberGenerator.GetBytes(8)).CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null, X509KeyStorageFlags.Exportable);
    }
}
