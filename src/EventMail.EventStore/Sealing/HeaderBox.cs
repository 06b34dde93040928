using System.Text;
using System.Text.Json;

namespace EventMail.EventStore;

/// <summary>
/// What is sealed of an event's headers, as their member: where the client was. The same for all events of a session in streams of one subject, so
/// that it is sealed once.
/// </summary>
internal static class HeaderBox
{
    private const int PurposeBytes = 8;

    // In canonical order.
    private static readonly byte[][] Personal = ["client_ip"u8.ToArray(), "client_port"u8.ToArray()];

    private static ReadOnlySpan<byte> Name => "\"sealed\":"u8;

    /// <summary>True where there may be something to be sealed.</summary>
    public static bool IsFor(string? headers) => headers?.Contains("\"client_", StringComparison.Ordinal) == true;

    /// <summary>The headers in their canonical form, with what is personal in a box; null when nothing is.</summary>
    /// <param name="headers">An object.</param>
    /// <param name="rest">To work in; as <paramref name="taken"/>.</param>
    public static byte[]? Seal(ReadOnlySpan<byte> headers, SubjectKey key, string subject, JsonOctets rest, JsonOctets taken)
    {
        rest.Clear();
        taken.Clear();
        rest.Write("{"u8);
        taken.Write("{"u8);
        var reader = new Utf8JsonReader(headers);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var (to, start) = (IsPersonal(ref reader) ? taken : rest, (int)reader.TokenStartIndex);
            reader.Skip();
            to.Write(to.Length > 1 ? ","u8 : default);
            to.Write(headers[start..(int)reader.BytesConsumed]);
        }
        if (taken.Length == 1)
            return null;
        taken.Write("}"u8);
        rest.Write(rest.Length > 1 ? ","u8 : default);
        rest.Write(Name);
        rest.Write("\""u8);
        Span<byte> purpose = stackalloc byte[PurposeLength(subject)];
        SealedText.Write(taken.Written, key, PurposeOf(subject, purpose), rest);
        rest.Write("\"}"u8);
        return HeaderForms.Canonical(rest.Written);
    }

    /// <summary>True for headers of which something is sealed.</summary>
    public static bool IsIn(string? headers) => headers?.Contains("\"sealed\":", StringComparison.Ordinal) == true;

    /// <summary>The headers with what was sealed put back; as they are where the key that sealed it is gone.</summary>
    /// <exception cref="FormatException">It is damaged, or another subject's.</exception>
    public static string Open(string headers, SubjectKeys keys, string subject)
    {
        var json = Encoding.UTF8.GetBytes(headers);
        Span<byte> purpose = stackalloc byte[PurposeLength(subject)];
        if (SealedText.Find(json, Name) is not { } text || SealedText.Open(json.AsSpan(text), keys.Get(subject), PurposeOf(subject, purpose)) is not { Length: > 2 } taken)
            return headers;
        // In the place of the member: from its name to the mark behind its text.
        var start = json.AsSpan().IndexOf(Name);
        return string.Concat(
            Encoding.UTF8.GetString(json.AsSpan(0, start)), Encoding.UTF8.GetString(taken.AsSpan(1, taken.Length - 2)),
            Encoding.UTF8.GetString(json.AsSpan(text.End.Value + 1)));
    }

    // Subjects are short: accounts' ids and streams'.
    private static int PurposeLength(string subject) => PurposeBytes + Encoding.UTF8.GetMaxByteCount(subject.Length);

    private static ReadOnlySpan<byte> PurposeOf(string subject, Span<byte> purpose)
    {
        "headers "u8.CopyTo(purpose);
        return purpose[..(PurposeBytes + Encoding.UTF8.GetBytes(subject, purpose[PurposeBytes..]))];
    }

    private static bool IsPersonal(ref Utf8JsonReader name)
    {
        foreach (var personal in Personal)
            if (name.ValueTextEquals(personal))
                return true;
        return false;
    }
}
