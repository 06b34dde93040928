namespace EventMail.Protocols.MailAuth.Dkim;

/// <summary>What signs (RFC 6376 §3.3, RFC 8463). The hash is SHA-256 with both.</summary>
public enum DkimAlgorithm
{
    /// <summary>RSASSA-PKCS1-v1_5 (RFC 6376 §3.3.2).</summary>
    RsaSha256,

    /// <summary>PureEdDSA over the SHA-256 of what is signed (RFC 8463 §3).</summary>
    Ed25519Sha256,
}

public static class DkimAlgorithms
{
    /// <summary>As in a=.</summary>
    public static string Name(this DkimAlgorithm algorithm) => algorithm == DkimAlgorithm.RsaSha256 ? "rsa-sha256" : "ed25519-sha256";

    /// <summary>As in a key's k=.</summary>
    public static string KeyType(this DkimAlgorithm algorithm) => algorithm == DkimAlgorithm.RsaSha256 ? "rsa" : "ed25519";

    /// <exception cref="ArgumentException">No such type.</exception>
    public static DkimAlgorithm OfKeyType(string type) => type switch
    {
        "rsa" => DkimAlgorithm.RsaSha256,
        "ed25519" => DkimAlgorithm.Ed25519Sha256,
        _ => throw new ArgumentException($"no type of DKIM keys: {type}", nameof(type)),
    };

    /// <summary>Names are compared with case, as all values of tags (RFC 6376 §3.2).</summary>
    internal static DkimAlgorithm? Find(string? name) => name switch
    {
        "rsa-sha256" => DkimAlgorithm.RsaSha256,
        "ed25519-sha256" => DkimAlgorithm.Ed25519Sha256,
        _ => null,
    };
}
