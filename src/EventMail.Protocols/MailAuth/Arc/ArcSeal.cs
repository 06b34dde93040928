using System.Security.Cryptography;
using EventMail.Protocols.MailAuth.Dkim;

namespace EventMail.Protocols.MailAuth.Arc;

/// <summary>Verifies one ARC-Seal (RFC 8617 §4.1.3, §5.1.1).</summary>
internal static class ArcSeal
{
    /// <param name="sets">All up to the one whose seal it is, from instance 1.</param>
    /// <returns>What is wrong, or null.</returns>
    public static async ValueTask<string?> FaultAsync(
        MessageHeader header, IReadOnlyList<ArcSet> sets, DkimKeyLookup keys, DkimLimits limits, CancellationToken cancel)
    {
        var tags = sets[^1].SealTags;
        // "the DKIM "h" tag is NOT allowed and, if found, MUST result in a cv status of "fail""
        if (tags.Has("h"))
            return "h= in a seal";
        var read = new SignatureTags(tags);
        read.Require("a", "b", "cv", "d", "s");
        var domain = read.Domain();
        var (algorithm, selector, octets) = (read.Algorithm(), read.Selector(domain), read.Octets("b"));
        read.Number("t", SignatureTags.TimeDigits);
        if (read.Fault is not null)
            return read.Fault.Reason;
        var (records, fault) = await keys.FindAsync(algorithm, selector, domain, null, cancel).ConfigureAwait(false);
        return (fault ?? DkimKeyCheck.Verify(Hash(header, sets), octets, records, limits, out _))?.Reason;
    }

    private static byte[] Hash(MessageHeader header, IReadOnlyList<ArcSet> sets)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var i = 0; i < sets.Count; i++)
        {
            Append(sets[i].Results);
            Append(sets[i].Message);
            if (i < sets.Count - 1)
                Append(sets[i].Seal);
        }
        var seal = sets[^1];
        HeaderCanonicalizer.AppendSignature(
            hash, header.Raw(seal.Seal).Span, header.Within(seal.Seal, seal.SealTags.Extent("b")), Canonicalization.Relaxed);
        return hash.GetHashAndReset();

        void Append(int position) => HeaderCanonicalizer.AppendField(hash, header.Raw(position).Span, Canonicalization.Relaxed);
    }
}
