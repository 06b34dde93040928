using System.Buffers;
using System.Text;
using EventMail.Domain.Messages;

namespace EventMail.Domain.Deliveries.Notifications;

/// <summary>Writes header fields and fields of a report, folded (RFC 5322 §2.2.3).</summary>
internal sealed class FieldWriter(IBufferWriter<byte> output)
{
    /// <summary>A field of pieces that are not folded inside.</summary>
    public void Pieces(string name, params ReadOnlySpan<string> pieces)
    {
        var line = Start(name);
        foreach (var piece in pieces)
            line.Word(Encoding.UTF8.GetBytes(piece));
        line.End();
    }

    /// <summary>A field of words; a word that is too long for a line is folded inside.</summary>
    /// <param name="text">Of <see cref="FieldText.Words"/>.</param>
    public void Words(string name, string text)
    {
        var line = Start(name);
        foreach (var word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var octets = Encoding.UTF8.GetBytes(word).AsSpan();
            while (octets.Length > NotificationLimits.Token)
            {
                var cut = NotificationLimits.Token;
                while ((octets[cut] & 0xC0) == 0x80)
                    cut--;
                line.Word(octets[..cut]);
                octets = octets[cut..];
            }
            line.Word(octets);
        }
        line.End();
    }

    /// <summary>Unstructured text; beyond ASCII as encoded words (RFC 2047).</summary>
    /// <param name="text">Of <see cref="FieldText.Words"/>.</param>
    public void Unstructured(string name, string text)
    {
        // Who reads encoded words would take such text for them.
        if (FieldText.IsAscii(text) && !text.Contains("=?", StringComparison.Ordinal))
        {
            Words(name, text);
            return;
        }
        var line = Start(name);
        line.EncodedWords(text);
        line.End();
    }

    public void EmptyLine() => output.Write("\r\n"u8);

    private FoldedLine Start(string name)
    {
        var line = new FoldedLine(output);
        line.Start(Encoding.ASCII.GetBytes(name));
        return line;
    }
}
