using System.Buffers.Text;

namespace EventMail.Protocols.Imap.Grammar;

/// <summary>What announces a literal: "{" number ["+"] "}" CRLF (RFC 3501 §4.3, RFC 7888).</summary>
/// <param name="Size">Octets that follow.</param>
/// <param name="Synchronizing">The client waits for a continuation request.</param>
/// <param name="Length">Of the announcement itself with its line end.</param>
internal readonly record struct LiteralMarker(long Size, bool Synchronizing, int Length)
{
    /// <summary>Without the line end; number64 has at most 19 digits.</summary>
    public const int MaxLength = 1 + 19 + 1 + 1;

    /// <summary>RFC 7888 §5: more octets are to be announced and waited with where the server says LITERAL-.</summary>
    public const int MaxNonSynchronizing = 4096;

    /// <summary>The client should have waited.</summary>
    public bool Hastens(NonSynchronizingLiterals allowed) =>
        !Synchronizing && Size > MaxNonSynchronizing && allowed == NonSynchronizingLiterals.Minus;

    /// <summary>At the beginning of the text.</summary>
    public static bool TryRead(ReadOnlySpan<byte> text, out LiteralMarker marker)
    {
        marker = default;
        var lineEnd = text[..Math.Min(text.Length, MaxLength + 2)].IndexOf((byte)'\n');
        if (lineEnd < 0)
            return false;
        var line = text[..lineEnd];
        if (line.EndsWith((byte)'\r'))
            line = line[..^1];
        if (!TryReadLine(line, out var size, out var synchronizing))
            return false;
        marker = new(size, synchronizing, lineEnd + 1);
        return true;
    }

    /// <summary>At the end of a line (its CRLF not included).</summary>
    public static bool TryFindAtEnd(ReadOnlySpan<byte> line, out LiteralMarker marker)
    {
        marker = default;
        if (!line.EndsWith((byte)'}'))
            return false;
        var tail = line[Math.Max(0, line.Length - MaxLength)..];
        var open = tail.LastIndexOf((byte)'{');
        if (open < 0 || !TryReadLine(tail[open..], out var size, out var synchronizing))
            return false;
        marker = new(size, synchronizing, tail.Length - open);
        return true;
    }

    private static bool TryReadLine(ReadOnlySpan<byte> text, out long size, out bool synchronizing)
    {
        size = 0;
        synchronizing = true;
        if (text.Length < 3 || text[0] != (byte)'{' || text[^1] != (byte)'}')
            return false;
        var digits = text[1..^1];
        if (digits[^1] == (byte)'+')
        {
            synchronizing = false;
            digits = digits[..^1];
        }

        return !digits.IsEmpty && digits.IndexOfAnyExceptInRange((byte)'0', (byte)'9') < 0
            && Utf8Parser.TryParse(digits, out size, out var used) && used == digits.Length;
    }
}
