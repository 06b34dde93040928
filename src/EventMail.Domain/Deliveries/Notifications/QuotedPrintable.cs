using System.Buffers;
using System.Text;

namespace EventMail.Domain.Deliveries.Notifications;

/// <summary>Content-Transfer-Encoding: quoted-printable (RFC 2045 §6.7), written.</summary>
internal static class QuotedPrintable
{
    public const string Name = "quoted-printable";

    // §6.7 (5): 76 with the soft line break's "=".
    private const int LongestLine = 75;

    /// <param name="text">Its CRLF are line breaks; a bare CR or LF is an octet as others are.</param>
    public static byte[] Encode(ReadOnlySpan<byte> text)
    {
        var output = new ArrayBufferWriter<byte>(text.Length * 2);
        var column = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\r' && i + 1 < text.Length && text[i + 1] == '\n')
            {
                output.Write("\r\n"u8);
                column = 0;
                i++;
                continue;
            }
            // §6.7 (3): white space at the end of a line must be encoded; "." and "F" would trouble other transports only.
            var endsLine = i + 1 == text.Length || text[i + 1] == '\r';
            var plain = text[i] is >= 0x21 and <= 0x7E and not (byte)'=' || (text[i] is (byte)' ' or (byte)'\t' && !endsLine);
            var width = plain ? 1 : 3;
            if (column + width > LongestLine)
            {
                output.Write("=\r\n"u8);
                column = 0;
            }
            column += width;
            if (plain)
                output.Write(text.Slice(i, 1));
            else
                output.Write(Encoding.ASCII.GetBytes($"={text[i]:X2}"));
        }
        return output.WrittenSpan.ToArray();
    }
}
