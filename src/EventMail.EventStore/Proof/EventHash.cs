using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace EventMail.EventStore;

/// <summary>
/// The hash of an event: SHA-256 of its canonical line, in which the hash of the event before it in its stream stands. It is kept in the
/// event's headers, as base64url without padding.
/// </summary>
public static class EventHash
{
    /// <summary>The member of mt_events.headers.</summary>
    public const string Header = "hash";

    /// <summary>Octets of a hash.</summary>
    public const int Size = SHA256.HashSizeInBytes;

    /// <summary>Characters of a hash as text: base64url without padding.</summary>
    public const int TextLength = 43;

    /// <summary>The canonical line (RFC 8785), without a line end.</summary>
    /// <exception cref="System.Text.Json.JsonException">The data or the headers are no JSON.</exception>
    public static void WriteLine(in EventFacts facts, IBufferWriter<byte> output)
    {
        var writer = CanonicalWriter.Rent();
        WriteLine(facts, writer);
        output.Write(writer.Written);
        CanonicalWriter.Return(writer);
    }

    /// <summary>The hash of a canonical line.</summary>
    public static byte[] Of(ReadOnlySpan<byte> line) => SHA256.HashData(line);

    /// <inheritdoc cref="WriteLine(in EventFacts, IBufferWriter{byte})"/>
    public static byte[] Of(in EventFacts facts) => Of(facts, headersAreCanonical: false);

    /// <param name="headersAreCanonical">And without the member hash.</param>
    internal static byte[] Of(in EventFacts facts, bool headersAreCanonical)
    {
        var writer = CanonicalWriter.Rent();
        WriteLine(facts, writer, headersAreCanonical);
        var hash = SHA256.HashData(writer.Written);
        CanonicalWriter.Return(writer);
        return hash;
    }

    public static string ToText(ReadOnlySpan<byte> hash) => Base64Url.EncodeToString(hash);

    /// <summary>False for what is no hash: another application may have a header of this name, too.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, [NotNullWhen(true)] out byte[]? hash)
    {
        hash = null;
        Span<byte> bytes = stackalloc byte[Size + 1];
        // Only the one text that a hash is written as: the last character holds two bits too many.
        if (text.Length != TextLength || Base64Url.DecodeFromChars(text, bytes, out _, out var written) != OperationStatus.Done || written != Size
            || !Base64Url.EncodeToString(bytes[..Size]).AsSpan().SequenceEqual(text))
            return false;
        hash = bytes[..Size].ToArray();
        return true;
    }

    // The members are in their order: the line is canonical as it is written.
    private static void WriteLine(in EventFacts facts, CanonicalWriter to, bool headersAreCanonical = false)
    {
        to.WriteRaw("{\"causation\":"u8);
        to.WriteText(facts.Causation);
        to.WriteRaw(",\"clr\":"u8);
        to.WriteText(facts.ClrType);
        to.WriteRaw(",\"correlation\":"u8);
        to.WriteText(facts.Correlation);
        to.WriteRaw(",\"data\":"u8);
        to.WriteJson(facts.DataJson.Span);
        to.WriteRaw(",\"headers\":"u8);
        if (facts.HeadersJson.IsEmpty)
            to.WriteText(null);
        else if (headersAreCanonical)
            to.WriteRaw(facts.HeadersJson.Span);
        else
            to.WriteJson(facts.HeadersJson.Span, leftOut: "hash"u8);
        to.WriteRaw(",\"id\":\""u8);
        WriteId(facts.Id, to);
        to.WriteRaw("\",\"previous\":"u8);
        WriteHash(facts.Previous, to);
        to.WriteRaw(",\"stream\":\""u8);
        WriteId(facts.Stream, to);
        to.WriteRaw("\",\"tenant\":"u8);
        to.WriteText(facts.Tenant);
        to.WriteRaw(",\"time\":\""u8);
        WriteTime(facts.Time, to);
        to.WriteRaw("\",\"type\":"u8);
        to.WriteText(facts.Type);
        to.WriteRaw(",\"user\":"u8);
        to.WriteText(facts.User);
        to.WriteRaw(",\"version\":"u8);
        to.WriteNumber(facts.Version);
        to.WriteRaw("}"u8);
    }

    private static void WriteId(Guid id, CanonicalWriter to)
    {
        Span<byte> text = stackalloc byte[36];
        id.TryFormat(text, out _);
        to.WriteRaw(text);
    }

    private static void WriteTime(DateTimeOffset time, CanonicalWriter to)
    {
        Span<byte> text = stackalloc byte[27];
        time.UtcDateTime.TryFormat(text, out _, "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", System.Globalization.CultureInfo.InvariantCulture);
        to.WriteRaw(text);
    }

    private static void WriteHash(byte[]? hash, CanonicalWriter to)
    {
        if (hash is null)
        {
            to.WriteText(null);
            return;
        }
        Span<byte> text = stackalloc byte[TextLength];
        Base64Url.EncodeToUtf8(hash, text);
        to.WriteRaw("\""u8);
        to.WriteRaw(text);
        to.WriteRaw("\""u8);
    }
}
