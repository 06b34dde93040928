using System.Text;

namespace EventMail.Protocols.Wire;

/// <summary>Where a command line stops being fit for a trace.</summary>
internal static class TraceRedaction
{
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
