namespace EventMail.Domain.Mailstores;

/// <summary>What programs do to lines of a message that begin as a separator does.</summary>
public enum MboxFormat
{
    /// <summary>Told message by message: a Content-Length that fits says where the message ends.</summary>
    Auto,

    /// <summary>"From " behind any number of "&gt;" has one "&gt;" more: the one way that can be taken back.</summary>
    Mboxrd,

    /// <summary>"From " has one "&gt;" more; what had one already is as it was.</summary>
    Mboxo,

    /// <summary>As mboxrd, and Content-Length says where a message ends.</summary>
    Mboxcl,

    /// <summary>Nothing is quoted: Content-Length alone says where a message ends.</summary>
    Mboxcl2,
}

public static class MboxQuoting
{
    /// <summary>The line has one "&gt;" that is not the message's.</summary>
    public static bool IsQuoted(ReadOnlySpan<byte> line, MboxFormat format) => format switch
    {
        MboxFormat.Mboxcl2 => false,
        MboxFormat.Mboxo => line.StartsWith(">From "u8),
        _ => line is [(byte)'>', ..] && line[line.IndexOfAnyExcept((byte)'>') is >= 0 and var at ? at.. : ..0].StartsWith("From "u8),
    };

    /// <summary>The line needs a "&gt;" before it in mboxrd.</summary>
    public static bool NeedsQuote(ReadOnlySpan<byte> line) =>
        line.IndexOfAnyExcept((byte)'>') is >= 0 and var at && line[at..].StartsWith("From "u8);
}
