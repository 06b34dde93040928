using System.Buffers;
using System.Text;

namespace EventMail.Protocols.Wire;

/// <summary>Where a command line stops being fit for a trace.</summary>
internal static class TraceRedaction
{
    private static readonly SearchValues<byte> Base64 =
        SearchValues.Create("+/0123456789=ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    /// <summary>How much of the line may be shown: all of it, or up to where its secret begins.</summary>
    public static int VisibleLength(ReadOnlySpan<byte> line)
    {
        var (verb, afterVerb) = Word(line, 0);
        // SMTP AUTH PLAIN secret, POP3 PASS secret, APOP name digest: no tag before the verb.
        if (Ascii.EqualsIgnoreCase(line[verb], "PASS"u8))
        {
            return afterVerb;
        }

        if (Ascii.EqualsIgnoreCase(line[verb], "APOP"u8) || Ascii.EqualsIgnoreCase(line[verb], "AUTH"u8))
        {
            return Word(line, afterVerb).End;
        }

        // IMAP: tag LOGIN user password, tag AUTHENTICATE mechanism initial-response.
        var (tagged, afterTagged) = Word(line, afterVerb);
        if (Ascii.EqualsIgnoreCase(line[tagged], "LOGIN"u8))
        {
            return afterTagged;
        }

        return Ascii.EqualsIgnoreCase(line[tagged], "AUTHENTICATE"u8) ? Word(line, afterTagged).End : line.Length;
    }

    /// <summary>A login by SASL begins: its client may send responses whatever the answer is.</summary>
    public static bool BeginsLogin(ReadOnlySpan<byte> line)
    {
        var (verb, afterVerb) = Word(line, 0);
        return Ascii.EqualsIgnoreCase(line[verb], "AUTH"u8)
            || Ascii.EqualsIgnoreCase(line[Word(line, afterVerb).Word], "AUTHENTICATE"u8);
    }

    /// <summary>It may be a response of SASL: base64 and nothing else.</summary>
    public static bool IsBase64(ReadOnlySpan<byte> line)
    {
        line = line.TrimEnd("\r\n \t"u8);
        return !line.IsEmpty && !line.ContainsAnyExcept(Base64);
    }

    private static (Range Word, int End) Word(ReadOnlySpan<byte> line, int from)
    {
        while (from < line.Length && line[from] is (byte)' ' or (byte)'\t')
        {
            from++;
        }

        var length = line[from..].IndexOfAny(" \t\r\n"u8);
        var end = length < 0 ? line.Length : from + length;
        return (from..end, end);
    }
}
