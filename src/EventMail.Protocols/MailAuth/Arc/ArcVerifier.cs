using EventMail.Protocols.Dns;
using EventMail.Protocols.MailAuth.Dkim;

namespace EventMail.Protocols.MailAuth.Arc;

/// <summary>Validates a message's Authenticated Received Chain (RFC 8617 §5.2). Thread-safe.</summary>
public sealed class ArcVerifier(DkimLimits limits)
{
    public ArcVerifier()
        : this(DkimLimits.Default)
    {
    }

    /// <param name="header">To the empty line, with or without it; must not change meanwhile.</param>
    /// <param name="body">What follows the empty line, in pieces of any size; read once, and not at all without a chain.</param>
    /// <param name="now">When the message came in.</param>
    /// <returns>Only cancelling, and what goes wrong with reading the body, throws.</returns>
    public async ValueTask<ArcResult> VerifyAsync(
        ReadOnlyMemory<byte> header, IAsyncEnumerable<ReadOnlyMemory<byte>> body, IDnsSource dns, DateTimeOffset now, CancellationToken cancel)
    {
        if (MessageHeader.Read(header, limits.HeaderFields) is not { } fields)
            return new(ArcVerdict.Fail, "too many header fields");
        if (!ArcChain.Exists(fields))
            return ArcResult.NoChain;
        if (!ArcChain.TryRead(fields, limits, out var sets, out var fault))
            return new(ArcVerdict.Fail, fault);

        var keys = new DkimKeyLookup(dns, limits);
        var (oldest, why) = await OldestPassAsync(fields, sets, keys, body, now, cancel).ConfigureAwait(false);
        for (var count = sets.Count; count > 0 && why is null; count--)
        {
            if (await ArcSeal.FaultAsync(fields, [.. sets.Take(count)], keys, limits, cancel).ConfigureAwait(false) is { } broken)
                why = $"seal {count}: {broken}";
        }
        return why is not null
            ? new(ArcVerdict.Fail, why) { Instance = sets.Count }
            : new(ArcVerdict.Pass, "")
            {
                Instance = sets.Count,
                OldestPass = oldest,
                Sealers = [.. sets.Select(SealerOf)],
                Findings = [.. sets.Select(set => set.Findings)],
            };
    }

    // Steps 4 and 5.
    private async ValueTask<(int Oldest, string? Fault)> OldestPassAsync(
        MessageHeader header, IReadOnlyList<ArcSet> sets, DkimKeyLookup keys, IAsyncEnumerable<ReadOnlyMemory<byte>> body, DateTimeOffset now,
        CancellationToken cancel)
    {
        // The newest first: where there are too many ways to hash a body, the oldest are left out.
        var signatures = sets.Reverse().Select(set => Read(header, set, now)).ToList();
        if (signatures[0].Fault is { } unreadable)
            return (0, $"message signature {sets.Count}: {unreadable.Reason}");
        await BodyHashes.CheckAsync(signatures, body, limits, cancel).ConfigureAwait(false);
        for (var i = 0; i < signatures.Count; i++)
        {
            await signatures[i].CheckSignatureAsync(keys, limits, cancel).ConfigureAwait(false);
            if (signatures[i].Fault is { } fault)
                return i == 0 ? (0, $"message signature {sets.Count}: {fault.Reason}") : (sets.Count - i + 1, null);
        }
        return (0, null);
    }

    // RFC 8617 §4.1.2: as a DKIM-Signature, but without v=, and i= is the instance.
    private DkimVerification Read(MessageHeader header, ArcSet set, DateTimeOffset now)
    {
        if (!DkimSignature.TryRead(set.MessageTags, limits, out var signature, out var fault))
            return new(header, set.Message, set.MessageTags, null, fault);
        // A signature over a seal, which is made after it, cannot be meant. The other two fields of ARC must not be in h= either, but
        // sealers of the drafts had them there, and do no harm.
        fault = signature.Names.Contains("arc-seal")
            ? new(DkimVerdict.PermError, "ARC-Seal in h=")
            : signature.FaultAt(now, limits.ClockSkew);
        return new(header, set.Message, set.MessageTags, signature, fault);
    }

    private static string SealerOf(ArcSet set) => DkimNames.TryDomain(set.SealTags.Text("d"), out var domain) ? domain : "";
}
