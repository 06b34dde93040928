using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EventMail.Protocols.Tests.Smtp.Client;

/// <summary>An issuer of certificates, right ones and wrong ones.</summary>
internal sealed class TestAuthority
{
    private readonly X509Certificate2 _root;
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public TestAuthority()
    {
        var request = new CertificateRequest("CN=An authority of tests", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        _root = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddYears(-3), DateTimeOffset.UtcNow.AddYears(3));
    }

    public static TestAuthority Shared { get; } = new();

    public X509Certificate2Collection Anchors => [X509CertificateLoader.LoadCertificate(_root.RawData)];

    /// <param name="validUntil">In days from now; negative for one that is over.</param>
    public X509Certificate2 Issue(string name, int validUntil = 30)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        var now = DateTimeOffset.UtcNow;
        using var issued = request.Create(
            _root.SubjectName, X509SignatureGenerator.CreateForECDsa(_key), now.AddDays(-60), now.AddDays(validUntil), Guid.NewGuid().ToByteArray());
        using var withKey = issued.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null);
    }
}
