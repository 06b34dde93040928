using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace EventMail.Domain.Mailboxes;

/// <summary>What somebody may do with a mailbox (RFC 4314 §2.1).</summary>
[Flags]
public enum Rights
{
    None = 0,

    /// <summary>l: the mailbox is there for LIST and SUBSCRIBE.</summary>
    Lookup = 1,

    /// <summary>r: SELECT, EXAMINE, STATUS.</summary>
    Read = 2,

    /// <summary>s: \Seen.</summary>
    Seen = 4,

    /// <summary>w: flags other than \Seen and \Deleted.</summary>
    Write = 8,

    /// <summary>i: APPEND and COPY into it.</summary>
    Insert = 16,

    /// <summary>p: mail to the mailbox's own address; IMAP enforces nothing.</summary>
    Post = 32,

    /// <summary>k: mailboxes below it.</summary>
    Create = 64,

    /// <summary>x: DELETE, and RENAME away.</summary>
    DeleteMailbox = 128,

    /// <summary>t: \Deleted.</summary>
    DeleteMessages = 256,

    /// <summary>e: EXPUNGE.</summary>
    Expunge = 512,

    /// <summary>a: reading and changing the access control list.</summary>
    Administer = 1024,

    /// <summary>An owner's.</summary>
    All = 2047,

    /// <summary>Whoever has one of them can change the selected mailbox (RFC 4314 §5.2).</summary>
    Changing = Insert | Expunge | Flags,

    /// <summary>"Shared flag rights": the flags here are one and the same for everybody (RFC 4314 §5.2).</summary>
    Flags = Seen | Write | DeleteMessages,

    /// <summary>Whoever has one of them may ask MYRIGHTS, and so may know that the mailbox exists (RFC 4314 §4).</summary>
    Knowing = Lookup | Read | Insert | Create | DeleteMailbox | Administer,
}

/// <summary>Rights as letters.</summary>
public static class RightsText
{
    private const string Letters = "lrswipkxtea";

    /// <summary>RFC 4314 §2.1.1: what the rights of RFC 2086 stand for; "c" is "k" and "x" together here, "d" is "t" and "e".</summary>
    private const Rights OldCreate = Rights.Create | Rights.DeleteMailbox;
    private const Rights OldDelete = Rights.DeleteMessages | Rights.Expunge;

    /// <summary>As in the log: "lrs".</summary>
    public static string Of(Rights rights)
    {
        var text = new StringBuilder(Letters.Length);
        for (var i = 0; i < Letters.Length; i++)
        {
            if (((int)rights & 1 << i) != 0)
                text.Append(Letters[i]);
        }
        return text.ToString();
    }

    /// <summary>As IMAP tells them: with "c" and "d" where any right is set that they stand for (RFC 4314 §2.1.1).</summary>
    public static string WithOldRights(Rights rights) =>
        Of(rights) + ((rights & OldCreate) != 0 ? "c" : "") + ((rights & OldDelete) != 0 ? "d" : "");

    /// <param name="unknown">The character that is no right.</param>
    public static bool TryParse(string text, out Rights rights, [NotNullWhen(false)] out char? unknown)
    {
        (rights, unknown) = (Rights.None, null);
        foreach (var c in text)
        {
            var right = c switch
            {
                'c' => OldCreate,
                'd' => OldDelete,
                _ when Letters.IndexOf(c, StringComparison.Ordinal) is >= 0 and var at => (Rights)(1 << at),
                _ => Rights.None,
            };
            if (right == Rights.None)
            {
                unknown = c;
                return false;
            }
            rights |= right;
        }
        return true;
    }

    /// <summary>The flags that these rights let one change, as a mask over any mailbox's table.</summary>
    public static ulong FlagsOf(Rights rights) =>
        ((rights & Rights.Seen) != 0 ? SystemFlags.Seen : 0)
        | ((rights & Rights.DeleteMessages) != 0 ? SystemFlags.Deleted : 0)
        | ((rights & Rights.Write) != 0 ? ~(SystemFlags.Seen | SystemFlags.Deleted) : 0);
}
