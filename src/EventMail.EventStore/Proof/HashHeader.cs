using System.Buffers;
using System.Text;
using System.Text.Json;

namespace EventMail.EventStore;

/// <summary>The member hash of an event's headers.</summary>
internal static class HashHeader
{
    // jsonb may be nested as deep as the stack of PostgreSQL's parser goes.
    private static readonly JsonReaderOptions AnyDepth = new() { MaxDepth = int.MaxValue };

    /// <summary>The hash that headers hold; null when there is none, or something else under its name.</summary>
    public static byte[]? Find(ReadOnlySpan<byte> headersJson)
    {
        var reader = new Utf8JsonReader(headersJson, AnyDepth);
        if (headersJson.IsEmpty || !reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            return null;
        // jsonb has short names first: it is among the first members.
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("hash"u8))
                return reader.Read() && reader.TokenType == JsonTokenType.String ? Parse(ref reader) : null;
            reader.Skip();
        }
        return null;
    }

    public static byte[]? Find(string? headersJson)
    {
        if (headersJson is null || !headersJson.Contains("\"hash\"", StringComparison.Ordinal))
            return null;
        var bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(headersJson.Length));
        var hash = Find(bytes.AsSpan(0, Encoding.UTF8.GetBytes(headersJson, bytes)));
        ArrayPool<byte>.Shared.Return(bytes);
        return hash;
    }

    /// <summary>The headers as they are stored: with the hash.</summary>
    /// <param name="canonical">An object in its canonical form, without the member.</param>
    public static byte[] Add(ReadOnlySpan<byte> canonical, ReadOnlySpan<byte> hash)
    {
        var comma = canonical.Length > 2;
        var name = comma ? ",\"hash\":\""u8 : "\"hash\":\""u8;
        var headers = new byte[canonical.Length + name.Length + EventHash.TextLength + 1];
        var at = canonical.Length - 1;
        canonical[..at].CopyTo(headers);
        name.CopyTo(headers.AsSpan(at));
        at += name.Length;
        System.Buffers.Text.Base64Url.EncodeToUtf8(hash, headers.AsSpan(at));
        "\"}"u8.CopyTo(headers.AsSpan(at + EventHash.TextLength));
        return headers;
    }

    private static byte[]? Parse(ref Utf8JsonReader reader)
    {
        if (reader.ValueSpan.Length != EventHash.TextLength)
            return null;
        Span<char> text = stackalloc char[EventHash.TextLength];
        return EventHash.TryParse(text[..Encoding.UTF8.GetChars(reader.ValueSpan, text)], out var hash) ? hash : null;
    }
}
