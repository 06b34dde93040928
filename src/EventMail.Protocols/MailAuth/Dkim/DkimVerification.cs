using System.Security.Cryptography;

namespace EventMail.Protocols.MailAuth.Dkim;

/// <summary>One signature of a message on its way to a result, for DKIM and for ARC's message signatures.</summary>
internal sealed class DkimVerification(MessageHeader header, int position, TagList? tags, DkimSignature? read, DkimFault? fault)
{
    public TagList? Tags => tags;

    public DkimFault? Fault { get; private set; } = fault;

    /// <summary>The domain of i=.</summary>
    public string? Identity { get; init; }

    /// <summary>i= as it may be shown.</summary>
    public string? IdentityText { get; init; }

    /// <summary>The signature, as long as it can become a pass.</summary>
    public DkimSignature? Open => Fault is null ? read : null;

    public bool IsTesting { get; private set; }

    public void Refuse(DkimVerdict verdict, string reason) => Fault ??= new(verdict, reason);

    /// <summary>RFC 6376 §3.7, step 1.</summary>
    public void CheckBody(byte[] hash, long total, DkimLimits limits)
    {
        if (Open is not { } signature)
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
        if (Open is not { } signature)
            return;
        var (records, fault) = await keys.FindAsync(signature.Algorithm, signature.Selector, signature.Domain, Identity, cancel)
            .ConfigureAwait(false);
        if (fault is null)
        {
            fault = DkimKeyCheck.Verify(HashHeader(signature, tags!), signature.Signature, records, limits, out var testing);
            IsTesting = testing;
        }
        Fault = fault;
    }

    private byte[] HashHeader(DkimSignature signature, TagList tags) => SignedHash.Of(
        header, signature.Names, signature.Header, position, header.Raw(position).Span, header.Within(position, tags.Extent("b")));
}
