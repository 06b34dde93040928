using System.Security.Cryptography;
using Org.BouncyCastle.Math.EC.Rfc8032;

namespace EventMail.Protocols.MailAuth.Dkim;

/// <summary>A new key.</summary>
/// <param name="PublicKey">As behind p=, before base64: SubjectPublicKeyInfo, or the 32 octets of Ed25519 (RFC 8463 §4).</param>
/// <param name="PrivateKey">PKCS #8, or the 32 octets of Ed25519's secret (RFC 8032 §5.1.5).</param>
public sealed record DkimKeyPair(DkimAlgorithm Algorithm, byte[] PublicKey, byte[] PrivateKey)
{
    /// <summary>Bits. RFC 8301 §3.2: "Signers SHOULD use RSA keys of at least 2048 bits."</summary>
    public const int RsaBits = 2048;

    public static DkimKeyPair Generate(DkimAlgorithm algorithm)
    {
        if (algorithm == DkimAlgorithm.RsaSha256)
        {
            using var rsa = RSA.Create(RsaBits);
            return new(algorithm, rsa.ExportSubjectPublicKeyInfo(), rsa.ExportPkcs8PrivateKey());
        }
        var secret = RandomNumberGenerator.GetBytes(Ed25519.SecretKeySize);
        var key = new byte[Ed25519.PublicKeySize];
        Ed25519.GeneratePublicKey(secret, 0, key, 0);
        return new(algorithm, key, secret);
    }
}
