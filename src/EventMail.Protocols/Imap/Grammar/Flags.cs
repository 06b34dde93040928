using System.Text;

namespace EventMail.Protocols.Imap.Grammar;

internal ref partial struct CommandParser
{
    /// <summary>flag-list = "(" [flag *(SP flag)] ")"</summary>
    public bool ExpectFlagList(out List<string> flags)
    {
        flags = [];
        if (!ExpectByte('('))
            return false;
        if (TryByte(')'))
            return true;
        return ExpectFlags(flags) && ExpectByte(')');
    }

    /// <summary>store-att-flags' value: flag-list / (flag *(SP flag))</summary>
    public bool ExpectFlagListOrFlags(out List<string> flags)
    {
        if (Peek == '(')
            return ExpectFlagList(out flags);
        flags = [];
        return ExpectFlags(flags);
    }

    private bool ExpectFlags(List<string> flags)
    {
        do
        {
            if (!ExpectFlag(out var flag))
                return false;
            // RFC 3501 §2.3.2: a flag is there or not, however often it is named.
            if (!flags.Contains(flag, StringComparer.OrdinalIgnoreCase))
                flags.Add(flag);
        }
        while (TrySp());
        return true;
    }

    /// <summary>flag = "\Answered" / "\Flagged" / "\Deleted" / "\Seen" / "\Draft" / flag-keyword. \Recent is not for clients to set.</summary>
    private bool ExpectFlag(out string flag)
    {
        var system = TryByte('\\');
        flag = "";
        if (!TryAtom(out var atom))
            return Fail("Expected a flag");
        var name = (system ? "\\" : "") + Encoding.ASCII.GetString(atom);
        flag = name;
        if (!system)
            return true;
        if (Flag.System.FirstOrDefault(known => known.Equals(name, StringComparison.OrdinalIgnoreCase)) is not { } canonical)
            return Fail("Invalid system flag");
        flag = canonical;
        return true;
    }
}

internal static class Flag
{
    public const string Seen = "\\Seen";
    public const string Deleted = "\\Deleted";

    /// <summary>The system flags that a client may set (RFC 3501 §2.3.2).</summary>
    public static readonly string[] System = ["\\Answered", "\\Flagged", Deleted, Seen, "\\Draft"];
}
