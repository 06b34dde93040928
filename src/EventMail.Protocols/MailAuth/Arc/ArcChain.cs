using System.Diagnostics.CodeAnalysis;
using EventMail.Protocols.MailAuth.Dkim;

namespace EventMail.Protocols.MailAuth.Arc;

/// <summary>Collects a message's sets and looks at their structure (RFC 8617 §5.2, steps 1 to 3).</summary>
internal static class ArcChain
{
    private const string Results = "arc-authentication-results";
    private const string Message = "arc-message-signature";
    private const string Seal = "arc-seal";

    public static bool Exists(MessageHeader header) =>
        header.Named(Results).Count + header.Named(Message).Count + header.Named(Seal).Count > 0;

    /// <param name="sets">The set of instance 1 first.</param>
    public static bool TryRead(
        MessageHeader header, DkimLimits limits, [NotNullWhen(true)] out IReadOnlyList<ArcSet>? sets, [NotNullWhen(false)] out string? fault)
    {
        sets = null;
        var (results, messages, seals) = (header.Named(Results), header.Named(Message), header.Named(Seal));
        var count = seals.Count;
        fault = Math.Max(count, Math.Max(results.Count, messages.Count)) > ArcInstance.Highest ? "more than 50 sets"
            // With the instances below, this is "exactly one each" and "no gaps or repetition".
            : results.Count != count || messages.Count != count ? "a set that is not whole"
            : null;
        if (fault is not null)
            return false;
        var found = new (int, ReadOnlyMemory<byte>)?[count];
        var signed = new (int, TagList)?[count];
        var sealedBy = new (int, TagList)?[count];
        fault = TryPlaceResults(header, results, found) ?? TryPlace(header, messages, limits, signed) ?? TryPlace(header, seals, limits, sealedBy);
        if (fault is not null)
            return false;
        var all = new ArcSet[count];
        for (var i = 0; i < count; i++)
        {
            var ((result, findings), (message, messageTags), (seal, sealTags)) = (found[i]!.Value, signed[i]!.Value, sealedBy[i]!.Value);
            all[i] = new(result, findings, message, messageTags, seal, sealTags);
        }
        fault = FaultOfStatus(all);
        sets = fault is null ? all : null;
        return fault is null;
    }

    private static string? TryPlaceResults(MessageHeader header, IReadOnlyList<int> positions, (int, ReadOnlyMemory<byte>)?[] places)
    {
        foreach (var position in positions)
        {
            if (TryPlace(places, ArcInstance.OfResults(header.Value(position), out var rest), (position, rest)) is { } fault)
                return fault;
        }
        return null;
    }

    private static string? TryPlace(MessageHeader header, IReadOnlyList<int> positions, DkimLimits limits, (int, TagList)?[] places)
    {
        foreach (var position in positions)
        {
            var value = header.Value(position);
            if (value.Length > limits.SignatureOctets)
                return "a field too long";
            if (!TagList.TryParse(value, limits.Tags, out var tags, out var why))
                return $"syntax error: {why}";
            if (TryPlace(places, ArcInstance.Of(tags), (position, tags)) is { } fault)
                return fault;
        }
        return null;
    }

    private static string? TryPlace<T>(T?[] places, int instance, T what) where T : struct
    {
        if (instance < 1 || instance > places.Length || places[instance - 1] is not null)
            return "instances do not count from 1";
        places[instance - 1] = what;
        return null;
    }

    private static string? FaultOfStatus(ArcSet[] sets)
    {
        if (sets[^1].Status == "fail")
            return "the last seal says that the chain is broken";
        for (var i = 0; i < sets.Length; i++)
        {
            // RFC 8617 §5.2, step 3 C.
            if (sets[i].Status != (i == 0 ? "none" : "pass"))
                return $"cv= of instance {i + 1} is wrong";
        }
        return null;
    }
}
