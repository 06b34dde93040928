using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Org.BouncyCastle.Math.EC.Rfc8032;

namespace EventMail.Protocols.MailAuth.Dkim;

/// <summary>A key that signatures are verified with. Not thread-safe; to be disposed.</summary>
internal sealed class DkimPublicKey : IDisposable
{
    /// <summary>OpenSSL's own bound for large keys: nobody needs greater exponents, and they are slow.</summary>
    private const int LongestExponent = 8;

    private readonly RSA? _rsa;
    private readonly byte[] _ed25519;

    private DkimPublicKey(RSA? rsa, byte[] ed25519) => (_rsa, _ed25519) = (rsa, ed25519);

    public static bool TryCreate(
        DkimKeyRecord record, DkimLimits limits, [NotNullWhen(true)] out DkimPublicKey? key, [NotNullWhen(false)] out DkimFault? fault)
    {
        key = null;
        if (record.Algorithm == DkimAlgorithm.Ed25519Sha256)
        {
            // RFC 8463 §4: the 32 octets of RFC 8032 §5.1.5, without an envelope.
            fault = record.PublicKey.Length == Ed25519.PublicKeySize ? null : new(DkimVerdict.PermError, "key syntax error: no Ed25519 key");
            if (fault is null)
                key = new(null, record.PublicKey);
            return fault is null;
        }
        var rsa = ImportRsa(record.PublicKey);
        fault = rsa is null ? new(DkimVerdict.PermError, "key syntax error: no RSA key")
            // RFC 8301 §3.2: "Verifiers MUST NOT consider signatures using RSA keys of less than 1024 bits as valid signatures."
            : rsa.KeySize < limits.RsaMinimum ? new(DkimVerdict.Policy, $"RSA key of {rsa.KeySize} bits is too short")
            : rsa.KeySize > limits.RsaMaximum ? new(DkimVerdict.Policy, $"RSA key of {rsa.KeySize} bits is too long")
            : rsa.ExportParameters(false).Exponent!.Length > LongestExponent ? new(DkimVerdict.Policy, "RSA key with a large exponent")
            : null;
        if (fault is null)
            key = new(rsa, []);
        else
            rsa?.Dispose();
        return fault is null;
    }

    /// <param name="hash">SHA-256 of what is signed.</param>
    public bool Verify(byte[] hash, byte[] signature) => _rsa is not null
        ? _rsa.VerifyHash(hash, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
        : signature.Length == Ed25519.SignatureSize && Ed25519.Verify(signature, 0, _ed25519, 0, hash, 0, hash.Length);

    public void Dispose() => _rsa?.Dispose();

    // RFC 6376 names PKCS #1's RSAPublicKey, its example and nearly all keys are X.509's SubjectPublicKeyInfo (erratum 3017).
    private static RSA? ImportRsa(byte[] der)
    {
        var rsa = RSA.Create();
        try
        {
            rsa.ImportSubjectPublicKeyInfo(der, out var read);
            return read == der.Length ? rsa : Refused(rsa);
        }
        catch (CryptographicException)
        {
            return ImportPkcs1(rsa, der);
        }
    }

    private static RSA? ImportPkcs1(RSA rsa, byte[] der)
    {
        try
        {
            rsa.ImportRSAPublicKey(der, out var read);
            return read == der.Length ? rsa : Refused(rsa);
        }
        catch (CryptographicException)
        {
            return Refused(rsa);
        }
    }

    private static RSA? Refused(RSA rsa)
    {
        rsa.Dispose();
        return null;
    }
}
