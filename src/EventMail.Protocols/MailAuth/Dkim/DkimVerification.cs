using System.Security.Cryptography;

namespace EventMail.Protocols.MailAuth.Dkim;

/// <summary>One signature of a message on its way to a result, for DKIM and for ARC's message signatures.</summary>
internal sealed class DkimVerification(MessageHeader header, int position, TagList? tags, DkimSignature? signature, DkimFault? fault)
{
    /// <summary>Where its field is in the header.</summary>
    public int Position => position;

    public TagList? Tags => tags;

    /// <summary>Null when it is none.</summary>
    public DkimSignature? Signature => signature;

    public DkimFault? Fault { get; private set; } = fault;

    /// <summary>The domain of i=.</summary>
    public string? Identity { get; init; }

    /// <summary>i= as it may be shown.</summary>
    public string? IdentityText { get; init; }

    /// <summary>True when it still can become a pass.</summary>
    public bool IsOpen => Fault is null;

    public bool IsTesting { get; private set; }

    /// <summary>RFC 6376 §3.7, step 1.</summary>
    public void CheckBody(byte[] hash, long total, DkimLimits limits)
    {
        if (signature is null || Fault is not null)
            return;
        if (signature.Length > total)
            Fault = new(DkimVerdict.PermError, "l= is more than the body has");
        else if (!CryptographicOperations.FixedTimeEquals(hash, signature.BodyHash))
            Fault = new(DkimVerdict.Fail, "body hash did not verify");
        else if (signature.Length < total && !limits.AcceptUnsignedTail)
            Fault = new(DkimVerdict.Policy, "the end of the body is not signed (l=)");
    }

    /// <summary>RFC 6376 §3.7, step 2, and §6.1.3.</summary>
    public async ValueTask CheckSignatureAsync(DkimKeyLookup keys, DkimLimits limits, CancellationToken cancel)
    {
        if (signature is null || Fault is not null)
            return;
        var (records, fault) = await keys.FindAsync(signature.Algorithm, signature.Selector, signature.Domain, Identity, cancel)
            .ConfigureAwait(false);
        Fault = fault ?? CheckSignature(HashHeader(signature, tags!), signature.Signature, records, limits);
    }

    /// <summary>The first record that verifies counts; the reason is the first one's.</summary>
    private DkimFault? CheckSignature(byte[] hash, byte[] octets, IReadOnlyList<DkimKeyRecord> records, DkimLimits limits)
    {
        DkimFault? first = null;
        foreach (var record in records)
        {
            if (!DkimPublicKey.TryCreate(record, limits, out var key, out var why))
            {
                first ??= why;
                continue;
            }
            using (key)
            {
                IsTesting = record.IsTesting;
                if (key.Verify(hash, octets))
                    return null;
            }
            first ??= new(DkimVerdict.Fail, "signature did not verify");
        }
        return first;
    }

    private byte[] HashHeader(DkimSignature signature, TagList tags) => SignedHash.Of(
        header, signature.Names, signature.Header, position, header.Raw(position).Span, header.Within(position, tags.Extent("b")));
}
