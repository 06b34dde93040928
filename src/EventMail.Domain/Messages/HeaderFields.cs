using System.Buffers;

namespace EventMail.Domain.Messages;

/// <summary>HEADER.FIELDS and HEADER.FIELDS.NOT (RFC 3501 §6.4.5).</summary>
public static class HeaderFields
{
    private static readonly SearchValues<byte> NameEnd = SearchValues.Create(":\n"u8);

    /// <summary>
    /// Copies the fields whose names are listed (or, with <paramref name="not"/>, all others) as they are, folding and
    /// line ends included, then the blank line. Names compare case-insensitively.
    /// </summary>
    /// <param name="headerBlock">One header, with or without its blank line.</param>
    /// <param name="names">Field names without colon.</param>
    /// <param name="not">HEADER.FIELDS.NOT.</param>
    /// <param name="output">Gets the chosen bytes.</param>
    public static void Select(ReadOnlySpan<byte> headerBlock, IReadOnlyList<ReadOnlyMemory<byte>> names, bool not, IBufferWriter<byte> output)
    {
        // Neighbouring chosen fields are copied in one piece.
        var runStart = 0;
        var at = 0;
        while (at < headerBlock.Length && !IsBlankLine(headerBlock[at..]))
        {
            var end = EndOfField(headerBlock, at);
            if (IsListed(NameOf(headerBlock[at..end]), names) == not)
            {
                output.Write(headerBlock[runStart..at]);
                runStart = end;
            }
            at = end;
        }
        // With the blank line, and without one where the header has none: a message without body and blank line.
        output.Write(headerBlock[runStart..]);
    }

    /// <summary>The next field from <paramref name="at"/> on, its line ends included; false at the blank line or the end.</summary>
    public static bool TryNext(ReadOnlySpan<byte> headerBlock, ref int at, out ReadOnlySpan<byte> field)
    {
        field = default;
        if (at >= headerBlock.Length || IsBlankLine(headerBlock[at..]))
            return false;
        var end = EndOfField(headerBlock, at);
        field = headerBlock[at..end];
        at = end;
        return true;
    }

    private static bool IsBlankLine(ReadOnlySpan<byte> rest) => rest[0] == (byte)'\n' || rest.StartsWith("\r\n"u8);

    private static int EndOfField(ReadOnlySpan<byte> header, int at)
    {
        while (true)
        {
            var lineEnd = header[at..].IndexOf((byte)'\n');
            if (lineEnd < 0)
                return header.Length;
            at += lineEnd + 1;
            if (at == header.Length || !Ascii.IsWsp(header[at]))
                return at;
        }
    }

    internal static ReadOnlySpan<byte> NameOf(ReadOnlySpan<byte> field)
    {
        var end = field.IndexOfAny(NameEnd);
        if (end < 0 || field[end] != (byte)':')
            return [];
        var name = field[..end];
        return name.TrimEnd(" \t"u8);
    }

    private static bool IsListed(ReadOnlySpan<byte> name, IReadOnlyList<ReadOnlyMemory<byte>> names)
    {
        if (name.IsEmpty)
            return false;
        for (var i = 0; i < names.Count; i++)
        {
            if (Ascii.EqualsIgnoreCase(name, names[i].Span))
                return true;
        }
        return false;
    }
}
