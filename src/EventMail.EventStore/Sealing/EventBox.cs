using System.Buffers.Binary;
using System.Text;

namespace EventMail.EventStore;

/// <summary>What is sealed of an event, as the last member of its JSON: a box that opens only in its place in the log.</summary>
internal static class EventBox
{
    private const int PurposeBytes = 6 + 16 + sizeof(long);

    private static ReadOnlySpan<byte> Name => "\"Sealed\":"u8;

    /// <summary>Ends an object that lacks its last brace with the member.</summary>
    public static void Close(JsonOctets json, ReadOnlySpan<byte> plain, SubjectKey key, StreamKey stream, long version)
    {
        Span<byte> purpose = stackalloc byte[PurposeBytes + Encoding.UTF8.GetMaxByteCount(stream.Tenant.Length)];
        json.Write(json.Length > 1 ? ","u8 : default);
        json.Write(Name);
        json.Write("\""u8);
        SealedText.Write(plain, key, Purpose(stream, version, purpose), json);
        json.Write("\"}"u8);
    }

    /// <summary>True for an event of which something is sealed.</summary>
    public static bool IsIn(ReadOnlySpan<byte> json) => SealedText.Find(json, Name) is not null;

    /// <summary>What was taken out of an event; null when nothing is sealed, or the key that sealed it is gone.</summary>
    /// <exception cref="FormatException">It is damaged, or another event's.</exception>
    public static byte[]? Open(ReadOnlySpan<byte> json, SubjectKeys keys, StreamKey stream, long version)
    {
        if (SealedText.Find(json, Name) is not { } text)
            return null;
        Span<byte> purpose = stackalloc byte[PurposeBytes + Encoding.UTF8.GetMaxByteCount(stream.Tenant.Length)];
        return SealedText.Open(json[text], keys.Get(DataSubject.Of(stream)), Purpose(stream, version, purpose));
    }

    private static ReadOnlySpan<byte> Purpose(StreamKey stream, long version, Span<byte> purpose)
    {
        "event "u8.CopyTo(purpose);
        stream.Id.TryWriteBytes(purpose[6..], bigEndian: true, out _);
        BinaryPrimitives.WriteInt64BigEndian(purpose[22..], version);
        return purpose[..(PurposeBytes + Encoding.UTF8.GetBytes(stream.Tenant, purpose[PurposeBytes..]))];
    }
}
