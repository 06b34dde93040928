using EventMail.Protocols.Dns;

namespace EventMail.Protocols.MailAuth.Dkim;

/// <summary>Verifies a message's DKIM signatures (RFC 6376 §6, RFC 8301, RFC 8463). Thread-safe.</summary>
public sealed class DkimVerifier(DkimLimits limits)
{
    public DkimVerifier()
        : this(DkimLimits.Default)
    {
    }

    /// <param name="header">To the empty line, with or without it; must not change meanwhile.</param>
    /// <param name="body">What follows the empty line, in pieces of any size; read once, and not at all when nothing needs it.</param>
    /// <param name="now">When the message came in.</param>
    /// <returns>A result for each signature from the top, at most <see cref="DkimLimits.Signatures"/>; "none" alone for a message without any.
    /// Only cancelling, and what goes wrong with reading the body, throws.</returns>
    public async ValueTask<IReadOnlyList<DkimResult>> VerifyAsync(
        ReadOnlyMemory<byte> header, IAsyncEnumerable<ReadOnlyMemory<byte>> body, IDnsSource dns, DateTimeOffset now, CancellationToken cancel)
    {
        if (MessageHeader.Read(header, limits.HeaderFields) is not { } fields)
            return [new(DkimVerdict.Policy, "too many header fields")];
        var signatures = fields.Named("dkim-signature").Take(limits.Signatures).Select(position => Read(fields, position, now)).ToList();
        if (signatures.Count == 0)
            return [DkimResult.NotSigned];
        var keys = new DkimKeyLookup(dns, limits);
        // The keys are on their way while the body is hashed.
        foreach (var signature in signatures.Select(signature => signature.Open).OfType<DkimSignature>())
            keys.Begin(signature.Selector, signature.Domain, cancel);
        await BodyHashes.CheckAsync(signatures, body, limits, cancel).ConfigureAwait(false);
        foreach (var signature in signatures)
            await signature.CheckSignatureAsync(keys, limits, cancel).ConfigureAwait(false);
        return [.. signatures.Select(ResultOf)];
    }

    // RFC 6376 §6.1.1.
    private DkimVerification Read(MessageHeader header, int position, DateTimeOffset now)
    {
        var value = header.Value(position);
        if (value.Length > limits.SignatureOctets)
            return Refused(null, new(DkimVerdict.Policy, "signature too long"));
        if (!TagList.TryParse(value, limits.Tags, out var tags, out var why))
            return Refused(null, new(DkimVerdict.Neutral, $"signature syntax error: {why}"));
        if (!tags.Has("v"))
            return Refused(tags, new(DkimVerdict.PermError, "signature missing required tag v="));
        // "Verifiers MUST return PERMFAIL (incompatible version)"
        if (tags.Text("v") != "1")
            return Refused(tags, new(DkimVerdict.PermError, "incompatible version"));
        if (!DkimSignature.TryRead(tags, limits, out var signature, out var fault))
            return Refused(tags, fault);
        fault = DkimIdentity.Read(tags, signature.Domain, out var identity) ?? signature.FaultAt(now, limits.ClockSkew);
        return new(header, position, tags, signature, fault)
        {
            Identity = tags.Has("i") ? identity.Domain : null,
            IdentityText = fault is null ? identity.Text : null,
        };

        DkimVerification Refused(TagList? list, DkimFault fault) => new(header, position, list, null, fault);
    }

    private static DkimResult ResultOf(DkimVerification signature) =>
        DkimResult.Of(signature.Fault?.Verdict ?? DkimVerdict.Pass, signature.Fault?.Reason ?? "", signature.Tags) with
        {
            Identity = signature.IdentityText,
            IsTesting = signature.IsTesting,
        };
}
