namespace EventMail.Domain.Mailboxes;

/// <summary>What may stand in a flag list of STORE and APPEND (RFC 9051 §9: flag, flag-keyword).</summary>
public static class FlagNames
{
    /// <summary>Null, or why one of them is no flag that a client may set.</summary>
    public static Rejection? Check(IReadOnlyList<string> flags)
    {
        for (var i = 0; i < flags.Count; i++)
        {
            if (Check(flags[i]) is { } rejection)
                return rejection;
        }
        return null;
    }

    public static Rejection? Check(string flag)
    {
        // RFC 9051 §2.3.2: clients set no other flag that begins with a backslash; \Recent is the server's.
        if (flag.StartsWith('\\'))
            return FlagTable.Empty.BitOf(flag) >= 0 ? null : Rejection.Invalid("Unknown system flag");
        if (flag.Length > MailboxLimits.MaxKeywordLength)
            return Rejection.Limit("Keyword too long");
        return IsAtom(flag) ? null : Rejection.Invalid("Invalid keyword");
    }

    // atom = 1*<any CHAR except "(" / ")" / "{" / SP / CTL / "%" / "*" / DQUOTE / "\" / "]">
    private static bool IsAtom(string text)
    {
        foreach (var c in text)
        {
            if (c is <= ' ' or >= '\x7f' or '(' or ')' or '{' or '%' or '*' or '"' or '\\' or ']')
                return false;
        }
        return text.Length > 0;
    }
}
