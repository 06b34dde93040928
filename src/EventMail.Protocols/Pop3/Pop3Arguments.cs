using System.Buffers.Text;

namespace EventMail.Protocols.Pop3;

/// <summary>A command's arguments, read as its <see cref="Pop3Syntax"/> says. Valid until the next line is read.</summary>
/// <param name="Text">What follows the keyword and one space.</param>
/// <param name="Message">The message-number; null when there is none.</param>
/// <param name="Lines">TOP's second argument.</param>
internal readonly record struct Pop3Arguments(ReadOnlyMemory<byte> Text, long? Message = null, long Lines = 0)
{
    /// <summary>False: the command's usage is what the client should hear.</summary>
    public static bool TryParse(Pop3Syntax syntax, ReadOnlyMemory<byte> text, out Pop3Arguments arguments)
    {
        arguments = new(text);
        // Some clients put a space behind the last word.
        var rest = text.Span.Trim((byte)' ');
        switch (syntax)
        {
            case Pop3Syntax.None:
                return rest.IsEmpty;
            case Pop3Syntax.Text:
                return !text.IsEmpty;
            case Pop3Syntax.Words:
                return true;
            case Pop3Syntax.OptionalMessage when rest.IsEmpty:
                return true;
            case Pop3Syntax.OptionalMessage or Pop3Syntax.Message:
                arguments = new(text, TakeNumber(ref rest));
                return arguments.Message is not null && rest.IsEmpty;
            case Pop3Syntax.MessageAndLines:
                var message = TakeNumber(ref rest);
                var lines = TakeNumber(ref rest);
                arguments = new(text, message, lines ?? 0);
                return message is not null && lines is not null && rest.IsEmpty;
            default:
                throw new ArgumentOutOfRangeException(nameof(syntax));
        }
    }

    /// <summary>Takes the next word: up to a space, or all that is left.</summary>
    public static ReadOnlySpan<byte> TakeWord(ref ReadOnlySpan<byte> rest)
    {
        rest = rest.TrimStart((byte)' ');
        var end = rest.IndexOf((byte)' ');
        var word = end < 0 ? rest : rest[..end];
        rest = rest[word.Length..].TrimStart((byte)' ');
        return word;
    }

    // Decimal digits (RFC 1939 §4); null for anything else. A number beyond all bounds is a number still: no message has it.
    private static long? TakeNumber(ref ReadOnlySpan<byte> rest)
    {
        var word = TakeWord(ref rest);
        if (word.IsEmpty || word.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
        {
            return null;
        }

        return Utf8Parser.TryParse(word, out long number, out var used) && used == word.Length ? number : long.MaxValue;
    }
}
