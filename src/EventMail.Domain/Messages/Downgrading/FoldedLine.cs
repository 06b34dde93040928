using System.Buffers;
using System.Text;

namespace EventMail.Domain.Messages;

/// <summary>Writes a header field in ASCII, folded before it grows long (RFC 5322 §2.2.3).</summary>
internal struct FoldedLine(IBufferWriter<byte> output)
{
    // RFC 5322 §2.1.1
    private const int Wanted = 78;

    // RFC 2047 §2: an encoded word has at most 75 characters; "=?UTF-8?B?" and "?=" are 12 of them, and three octets make four.
    private const int OctetsOfWord = 45;
    private const int FewestOctets = 15;

    private int _length;

    public void Start(ReadOnlySpan<byte> name)
    {
        output.Write(name);
        output.Write(":"u8);
        _length = name.Length + 1;
    }

    /// <summary>Puts a space and a piece that must not be folded inside.</summary>
    public void Word(ReadOnlySpan<byte> word)
    {
        if (_length + 1 + word.Length > Wanted && _length > 1)
        {
            output.Write("\r\n"u8);
            _length = 0;
        }
        output.Write(" "u8);
        output.Write(word);
        _length += 1 + word.Length;
    }

    /// <summary>Puts something right behind the last word.</summary>
    public void Glue(ReadOnlySpan<byte> text)
    {
        output.Write(text);
        _length += text.Length;
    }

    /// <summary>Puts text as encoded words (RFC 2047), no character parted.</summary>
    public void EncodedWords(string text)
    {
        var octets = Encoding.UTF8.GetBytes(text).AsSpan();
        while (!octets.IsEmpty)
        {
            // What still fits on this line, unless it is hardly anything.
            var room = (Wanted - _length - 1 - 12) / 4 * 3;
            var take = Math.Min(room < FewestOctets ? OctetsOfWord : Math.Min(OctetsOfWord, room), octets.Length);
            while (take < octets.Length && (octets[take] & 0xC0) == 0x80)
                take--;
            Word(Encoding.ASCII.GetBytes($"=?UTF-8?B?{Convert.ToBase64String(octets[..take])}?="));
            octets = octets[take..];
        }
    }

    public readonly void End() => output.Write("\r\n"u8);
}
