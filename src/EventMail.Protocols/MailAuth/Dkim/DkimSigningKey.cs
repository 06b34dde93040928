using System.Collections.Concurrent;
using System.Security.Cryptography;
using Org.BouncyCastle.Math.EC.Rfc8032;

namespace EventMail.Protocols.MailAuth.Dkim;

/// <summary>A domain's private key, ready to sign. Thread-safe.</summary>
public sealed class DkimSigningKey
{
    private readonly byte[] _privateKey;

    // Of Ed25519: signing needs it, and to compute it anew costs as much as the signature.
    private readonly byte[] _publicKey = [];

    // An RSA object serves one thread at a time; an idle one is as good as new.
    private readonly ConcurrentBag<RSA> _idle = [];

    /// <param name="domain">Lower-case A-labels: d=.</param>
    /// <param name="privateKey">As in <see cref="DkimKeyPair.PrivateKey"/>; not copied.</param>
    /// <exception cref="CryptographicException">It is no such key.</exception>
    public DkimSigningKey(string domain, string selector, DkimAlgorithm algorithm, byte[] privateKey)
    {
        (Domain, Selector, Algorithm, _privateKey) = (domain, selector, algorithm, privateKey);
        if (algorithm == DkimAlgorithm.RsaSha256)
            _idle.Add(Load());
        else if (privateKey.Length != Ed25519.SecretKeySize)
            throw new CryptographicException("no Ed25519 key");
        else
            Ed25519.GeneratePublicKey(privateKey, 0, _publicKey = new byte[Ed25519.PublicKeySize], 0);
    }

    public string Domain { get; }

    public string Selector { get; }

    public DkimAlgorithm Algorithm { get; }

    /// <param name="hash">SHA-256 of what is signed.</param>
    internal byte[] Sign(byte[] hash)
    {
        if (Algorithm == DkimAlgorithm.Ed25519Sha256)
        {
            var signature = new byte[Ed25519.SignatureSize];
            Ed25519.Sign(_privateKey, 0, _publicKey, 0, hash, 0, hash.Length, signature, 0);
            return signature;
        }
        var rsa = _idle.TryTake(out var idle) ? idle : Load();
        var signed = rsa.SignHash(hash, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        _idle.Add(rsa);
        return signed;
    }

    private RSA Load()
    {
        var rsa = RSA.Create();
        rsa.ImportPkcs8PrivateKey(_privateKey, out _);
        return rsa;
    }
}
