using System.Runtime.CompilerServices;

namespace EventMail.EventStore;

/// <summary>
/// The canonical forms of headers: a session's are one string that all of its events share, so they are made once. The committer's: not thread-safe.
/// </summary>
internal sealed class HeaderForms
{
    // Sessions whose events alternate. Two that share a slot make theirs anew.
    private const int Slots = 256;

    private static readonly byte[] None = "{}"u8.ToArray();

    private readonly (string? Json, byte[] Canonical)[] _slots = new (string?, byte[])[Slots];

    /// <summary>An object without the member hash; an empty one where there are no headers, since they are stored with a hash.</summary>
    public byte[] Of(string? json)
    {
        if (json is null)
            return None;
        ref var slot = ref _slots[RuntimeHelpers.GetHashCode(json) % Slots];
        if (!ReferenceEquals(slot.Json, json))
            slot = (json, Canonical(System.Text.Encoding.UTF8.GetBytes(json)));
        return slot.Canonical;
    }

    /// <exception cref="ArgumentException">It is no object.</exception>
    public static byte[] Canonical(ReadOnlySpan<byte> json)
    {
        var writer = CanonicalWriter.Rent();
        writer.WriteJson(json, leftOut: "hash"u8);
        var canonical = writer.Written.ToArray();
        CanonicalWriter.Return(writer);
        return canonical[0] == (byte)'{' ? canonical : throw new ArgumentException("an event's headers are an object", nameof(json));
    }
}
