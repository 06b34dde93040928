using System.Buffers.Text;
using System.Text;

namespace EventMail.Domain.Messages;

/// <summary>RFC 2047 encoded words in header text.</summary>
public static class EncodedWords
{
    /// <summary>§2 allows 75 characters; some senders put a whole line into one word.</summary>
    public const int MaxWord = 1000;

    private readonly ref struct Word(ReadOnlySpan<byte> charset, bool base64, ReadOnlySpan<byte> text, int length)
    {
        public readonly ReadOnlySpan<byte> Charset = charset;
        public readonly bool Base64 = base64;
        public readonly ReadOnlySpan<byte> Text = text;

        /// <summary>All of "=?…?=".</summary>
        public readonly int Length = length;
    }

    /// <summary>
    /// The text for people: folding removed, encoded words decoded, white space between two of them dropped (§6.2).
    /// Words of one charset that follow each other are decoded together, since some senders split characters.
    /// Bytes outside words are UTF-8 (RFC 6532) or, when they are not, Latin-1. What is no valid word stays as it is.
    /// </summary>
    public static string Decode(ReadOnlySpan<byte> text)
    {
        if (text.IndexOf("=?"u8) < 0)
            return Charsets.DecodeUtf8OrLatin1(text.IndexOfAny((byte)'\r', (byte)'\n') < 0 ? text : Unfold(text));

        var unfolded = Unfold(text);
        var result = new StringBuilder(unfolded.Length);
        var pending = new List<byte>();
        var pendingCharset = Array.Empty<byte>();
        var afterWord = false;
        var rest = new ReadOnlySpan<byte>(unfolded);
        while (!rest.IsEmpty)
        {
            var start = IndexOfWord(rest, out var word);
            var plain = start < 0 ? rest : rest[..start];
            if (plain.Length > 0 && !(afterWord && start >= 0 && plain.Trim(" \t"u8).IsEmpty))
            {
                Flush(result, pending, pendingCharset);
                result.Append(Charsets.DecodeUtf8OrLatin1(plain));
            }
            if (start < 0)
                break;
            if (!Ascii.EqualsIgnoreCase(word.Charset, pendingCharset))
                Flush(result, pending, pendingCharset);
            pendingCharset = word.Charset.ToArray();
            pending.AddRange(word.Base64 ? DecodeB(word.Text) : DecodeQ(word.Text));
            afterWord = true;
            rest = rest[(start + word.Length)..];
        }
        Flush(result, pending, pendingCharset);
        return result.ToString();
    }

    private static void Flush(StringBuilder result, List<byte> pending, byte[] charset)
    {
        if (pending.Count == 0)
            return;
        result.Append(Charsets.Decode(charset, [.. pending]));
        pending.Clear();
    }

    private static int IndexOfWord(ReadOnlySpan<byte> text, out Word word)
    {
        word = default;
        var from = 0;
        while (text[from..].IndexOf("=?"u8) is >= 0 and var next)
        {
            from += next;
            if (TryReadWord(text[from..], out word))
                return from;
            from += 2;
        }
        return -1;
    }

    // §2: "=?" charset "?" encoding "?" encoded-text "?="
    private static bool TryReadWord(ReadOnlySpan<byte> text, out Word word)
    {
        word = default;
        // Bounded look-ahead keeps the whole linear.
        var inner = text[2..Math.Min(text.Length, MaxWord)];
        var charsetEnd = inner[..Math.Min(inner.Length, 80)].IndexOf((byte)'?');
        if (charsetEnd <= 0 || charsetEnd + 2 >= inner.Length || inner[charsetEnd + 2] != (byte)'?')
            return false;
        var encoding = inner[charsetEnd + 1] | 0x20;
        if (encoding is not ('b' or 'q'))
            return false;
        var encoded = inner[(charsetEnd + 3)..];
        var end = encoded.IndexOf("?="u8);
        LookAhead.Bytes += end < 0 ? encoded.Length : 0;
        if (end < 0)
            return false;
        var charset = inner[..charsetEnd];
        // RFC 2231 §5: charset*language
        var star = charset.IndexOf((byte)'*');
        word = new Word(star < 0 ? charset : charset[..star], encoding == 'b', encoded[..end], 2 + charsetEnd + 3 + end + 2);
        return true;
    }

    private static byte[] DecodeB(ReadOnlySpan<byte> text)
    {
        var decoder = new TransferDecoder(TransferEncoding.Base64);
        var output = new System.Buffers.ArrayBufferWriter<byte>(Math.Max(1, text.Length));
        decoder.Decode(text, output);
        decoder.Finish(output);
        return output.WrittenSpan.ToArray();
    }

    // §4.2
    private static byte[] DecodeQ(ReadOnlySpan<byte> text)
    {
        var bytes = new byte[text.Length];
        var length = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == (byte)'_')
            {
                bytes[length++] = (byte)' ';
            }
            else if (text[i] == (byte)'=' && i + 2 < text.Length && Rfc2231.Hex(text[i + 1]) is >= 0 and var high
                && Rfc2231.Hex(text[i + 2]) is >= 0 and var low)
            {
                bytes[length++] = (byte)(high << 4 | low);
                i += 2;
            }
            else
            {
                bytes[length++] = text[i];
            }
        }
        return bytes[..length];
    }

    private static byte[] Unfold(ReadOnlySpan<byte> text)
    {
        var bytes = new byte[text.Length];
        var length = 0;
        foreach (var b in text)
        {
            if (b is not ((byte)'\r' or (byte)'\n'))
                bytes[length++] = b;
        }
        return bytes[..length];
    }
}
