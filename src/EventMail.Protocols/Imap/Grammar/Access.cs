using System.Text;
using EventMail.Domain.Accounts;
using EventMail.Domain.Mailboxes;

namespace EventMail.Protocols.Imap.Grammar;

internal ref partial struct CommandParser
{
    /// <summary>identifier = astring, of UTF-8, prepared with SASLprep (RFC 4314 §3).</summary>
    public bool ExpectIdentifier(out string identifier)
    {
        identifier = "";
        if (!ExpectAString(out var value))
            return false;
        return (System.Text.Unicode.Utf8.IsValid(value)
            && SaslPrep.TryPrepare(Encoding.UTF8.GetString(value), SaslPrepUse.Query, out identifier)
            && identifier.TrimStart('-').Length > 0) || Fail("Invalid identifier");
    }

    /// <summary>mod-rights = astring: "+" or "-" or nothing, and rights (RFC 4314 §3.1).</summary>
    public bool ExpectModRights(out RightsMode mode, out Rights rights)
    {
        (mode, rights) = (RightsMode.Replace, Rights.None);
        if (!ExpectAString(out var value))
            return false;
        if (value is [(byte)'+', ..])
            mode = RightsMode.Add;
        else if (value is [(byte)'-', ..])
            mode = RightsMode.Remove;
        var letters = Encoding.Latin1.GetString(mode == RightsMode.Replace ? value : value[1..]);
        // §3.1: "an unrecognized right MUST cause the command to return the BAD response".
        return RightsText.TryParse(letters, out rights, out var unknown)
            || Fail(char.IsAsciiLetterUpper(unknown.Value) ? "Rights are lower-case letters" : "There is no such right");
    }
}
