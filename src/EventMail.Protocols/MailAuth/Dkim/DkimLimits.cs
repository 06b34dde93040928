namespace EventMail.Protocols.MailAuth.Dkim;

/// <summary>What a message may cost its verifier, and what is not taken for a signature (RFC 6376 §6.1, RFC 8301 §3.2).</summary>
public sealed record DkimLimits
{
    public static readonly DkimLimits Default = new();

    /// <summary>DKIM-Signature fields that are verified, from the top; what is below them is left alone. Each costs a question to the DNS
    /// and a pass over its header fields.</summary>
    public int Signatures { get; init; } = 10;

    /// <summary>Hashes of one body: signatures share one when canonicalization and l= are the same.</summary>
    public int BodyHashes { get; init; } = 5;

    /// <summary>Octets of one signature's field.</summary>
    public int SignatureOctets { get; init; } = 64 * 1024;

    /// <summary>Tags of a signature or of a key record.</summary>
    public int Tags { get; init; } = 100;

    /// <summary>Names in one h=.</summary>
    public int SignedNames { get; init; } = 1_000;

    /// <summary>Fields of a header; with more its signatures are not looked at.</summary>
    public int HeaderFields { get; init; } = 10_000;

    /// <summary>TXT records at one name that are looked through for a key (RFC 6376 §6.1.2 leaves open what several mean).</summary>
    public int KeyRecords { get; init; } = 5;

    /// <summary>Octets of one TXT record that may be a key.</summary>
    public int KeyRecordOctets { get; init; } = 8 * 1024;

    /// <summary>Bits. RFC 8301 §3.2: a signature by a shorter key is not valid.</summary>
    public int RsaMinimum { get; init; } = 1024;

    /// <summary>Bits. RFC 8301 §3.2: verifiers must be able to go as far as this, and may stop there.</summary>
    public int RsaMaximum { get; init; } = 4096;

    /// <summary>How far two clocks may be apart where t= and x= are looked at.</summary>
    public TimeSpan ClockSkew { get; init; } = TimeSpan.FromHours(1);

    /// <summary>RFC 6376 §8.2: what stands behind l= is nobody's word. Unless this is set, a message with anything there gets "policy".</summary>
    public bool AcceptUnsignedTail { get; init; }
}
