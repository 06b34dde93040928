using System.Buffers;
using System.Security.Cryptography;

namespace EventMail.Protocols.MailAuth.Dkim;

/// <summary>RFC 6376 §3.4.1 and §3.4.2: the form of a header field in which it is hashed.</summary>
internal static class HeaderCanonicalizer
{
    private static readonly SearchValues<byte> Special = SearchValues.Create(" \t\r\n"u8);

    /// <summary>Adds a whole field and CRLF.</summary>
    public static void AppendField(IncrementalHash hash, ReadOnlySpan<byte> field, Canonicalization method)
    {
        Append(hash, field[..MessageHeader.WithoutLineEnd(field)], default, method);
        hash.AppendData("\r\n"u8);
    }

    /// <summary>Adds the field that signs, with nothing behind "b=", and no CRLF (RFC 6376 §3.7).</summary>
    /// <param name="field">With its name.</param>
    /// <param name="value">Where in it the value of b= is, with the white space around it.</param>
    public static void AppendSignature(IncrementalHash hash, ReadOnlySpan<byte> field, Range value, Canonicalization method)
    {
        field = field[..MessageHeader.WithoutLineEnd(field)];
        Append(hash, field[..value.Start], field[value.End..], method);
    }

    private static void Append(IncrementalHash hash, ReadOnlySpan<byte> field, ReadOnlySpan<byte> rest, Canonicalization method)
    {
        if (method == Canonicalization.Simple)
        {
            hash.AppendData(field);
            hash.AppendData(rest);
            return;
        }
        var buffer = ArrayPool<byte>.Shared.Rent(field.Length + rest.Length);
        var colon = field.IndexOf((byte)':');
        var length = 0;
        foreach (var octet in field[..colon].TrimEnd(" \t"u8))
            buffer[length++] = octet is >= (byte)'A' and <= (byte)'Z' ? (byte)(octet | 0x20) : octet;
        buffer[length++] = (byte)':';
        var start = length;
        var space = false;
        length = Relax(field[(colon + 1)..], buffer, start, length, ref space);
        length = Relax(rest, buffer, start, length, ref space);
        hash.AppendData(buffer.AsSpan(0, length));
        ArrayPool<byte>.Shared.Return(buffer);
    }

    // Unfolded, with one SP for each run of white space, and none at the beginning and the end.
    private static int Relax(ReadOnlySpan<byte> value, byte[] buffer, int start, int length, ref bool space)
    {
        while (!value.IsEmpty)
        {
            var word = value.IndexOfAny(Special);
            word = word < 0 ? value.Length : word;
            // A CR that is no line end stays.
            if (word == 0 && value[0] == (byte)'\r' && value is not [_, (byte)'\n', ..])
                word = 1;
            if (word == 0)
            {
                // The line ends of folding.
                space |= value[0] is (byte)' ' or (byte)'\t';
                value = value[1..];
                continue;
            }
            if (space && length > start)
                buffer[length++] = (byte)' ';
            space = false;
            value[..word].CopyTo(buffer.AsSpan(length));
            length += word;
            value = value[word..];
        }
        return length;
    }
}
