using System.Buffers;
using System.Text;
using System.Text.Unicode;
using EventMail.Domain.Messages;

namespace EventMail.Domain.Deliveries.Notifications;

/// <summary>The third part: the original message or its header (RFC 3461 §6.2, RFC 6522 §3 and §4, RFC 6533 §4.2 and §4.3).</summary>
/// <param name="Type">Of its Content-Type field.</param>
/// <param name="Encoding">Content-Transfer-Encoding.</param>
internal sealed record ReturnedPart(string Type, string Encoding, ReadOnlyMemory<byte> Body)
{
    // RFC 5322 §2.1.1
    private const int LongestLine = 998;

    private static readonly string[] Secret = ["Bcc", "Resent-Bcc"];

    /// <param name="failed">The report tells of a failure.</param>
    public static ReturnedPart Of(OriginalMessage original, ReadOnlySpan<byte> header, bool failed)
    {
        var whole = failed && original.WantsFull && original.IsWhole && original.Size <= NotificationLimits.ReturnedMessage
            && IsComplete(header, original);
        var shown = WithoutSecrets(header);
        var isUtf8 = Utf8.IsValid(shown);
        var isAscii = System.Text.Ascii.IsValid(shown);
        // 8-bit text in a header without a charset is no message of either kind; binary content cannot stand in a multipart.
        if (whole && isUtf8)
        {
            byte[] body = [.. shown, .. original.Octets.Span[header.Length..]];
            if (HasLines(body))
                return new(isAscii ? "message/rfc822" : "message/global", System.Text.Ascii.IsValid(body) ? "7bit" : "8bit", body);
        }
        var hasLines = HasLines(shown);
        return isAscii || !isUtf8
            ? new("text/rfc822-headers", isAscii && hasLines ? "7bit" : QuotedPrintable.Name, isAscii && hasLines ? shown : QuotedPrintable.Encode(shown))
            : new("message/global-headers", hasLines ? "8bit" : QuotedPrintable.Name, hasLines ? shown : QuotedPrintable.Encode(shown));
    }

    // Fields behind those that were looked at would be returned unseen.
    private static bool IsComplete(ReadOnlySpan<byte> header, OriginalMessage original) =>
        header.Length == original.Octets.Length || header.EndsWith("\n\r\n"u8) || header.SequenceEqual("\r\n"u8);

    /// <summary>The header's fields, of a long header those that fit; with the empty line when it is there.</summary>
    public static ReadOnlySpan<byte> HeaderOf(ReadOnlySpan<byte> octets)
    {
        var at = 0;
        var end = 0;
        while (HeaderFields.TryNext(octets, ref at, out _) && at <= NotificationLimits.ReturnedHeader)
            end = at;
        if (at != end)
            return octets[..end]; // a field too many, perhaps cut
        return octets[end..] switch
        {
            [(byte)'\r', (byte)'\n', ..] => octets[..(end + 2)],
            [(byte)'\n', ..] => octets[..(end + 1)],
            _ => octets[..end],
        };
    }

    // Nobody who is told of a failure learns who else got the message in secret.
    private static byte[] WithoutSecrets(ReadOnlySpan<byte> header)
    {
        var shown = new ArrayBufferWriter<byte>(header.Length + 2);
        HeaderFields.Select(header, [.. Secret.Select(name => (ReadOnlyMemory<byte>)System.Text.Encoding.ASCII.GetBytes(name))], not: true, shown);
        return shown.WrittenSpan.ToArray();
    }

    // RFC 2045 §2.7, §2.8: lines of at most 998 octets that end with CRLF, no NUL.
    private static bool HasLines(ReadOnlySpan<byte> octets)
    {
        while (!octets.IsEmpty)
        {
            var end = octets.IndexOfAny((byte)'\r', (byte)'\n', (byte)0);
            if (end < 0)
                return octets.Length <= LongestLine;
            if (end > LongestLine || !octets[end..].StartsWith("\r\n"u8))
                return false;
            octets = octets[(end + 2)..];
        }
        return true;
    }
}
