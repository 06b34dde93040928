using System.Buffers;
using EventMail.Domain.Messages;

namespace EventMail.Projections.Maildrops;

/// <summary>
/// How POP3 sends a content whose octets on the wire are not those that are stored: its lines do not all end in CRLF, or its header
/// is internationalized and a client without UTF8 gets a surrogate (RFC 6856 §2.1, RFC 6858).
/// </summary>
/// <param name="Octets">As RETR sends it in UTF-8 mode, without dot-stuffing.</param>
/// <param name="AsciiOctets">In the other mode; null for a message that only a client in UTF-8 mode can be given.</param>
/// <param name="IsInternationalized">The header differs between the two modes.</param>
public readonly record struct MaildropForm(long Octets, long? AsciiOctets, bool IsInternationalized)
{
    /// <summary>Null for what is sent as it is stored: nearly every message.</summary>
    internal static MaildropForm? Of(Message message, in LineOctets lines)
    {
        var octets = message.Size + lines.Surplus;
        var header = message.Root.HeaderBytes;
        if (!SurrogateHeader.IsNeeded(header))
        {
            return lines.Surplus == 0 ? null : new(octets, octets, false);
        }

        // The reader keeps only so much of a header: the surrogate of more cannot be made.
        if (header.Length < message.Root.HeaderLength)
        {
            return new(octets, null, true);
        }

        var surrogate = new ArrayBufferWriter<byte>(header.Length + 256);
        SurrogateHeader.Write(header, surrogate);
        var written = LineOctets.Of(surrogate.WrittenSpan);
        var ascii = message.Size == header.Length
            ? surrogate.WrittenCount + written.Surplus
            : octets - header.Length - LineOctets.Of(header).BareLfs + surrogate.WrittenCount + written.BareLfs;
        return new(octets, ascii, true);
    }
}
