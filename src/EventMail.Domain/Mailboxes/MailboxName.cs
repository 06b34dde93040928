using System.Text;

namespace EventMail.Domain.Mailboxes;

/// <summary>
/// Mailbox names: UTF-8 text with "/" between levels (RFC 9051 §5.1). They compare exactly, but for INBOX, which is written in
/// capitals here whatever the client wrote, also as the first level of a longer name.
/// </summary>
public static class MailboxName
{
    public const char Separator = '/';

    public const string Inbox = "INBOX";

    public static bool IsInbox(string name) => name.Equals(Inbox, StringComparison.OrdinalIgnoreCase);

    /// <summary>The one way to write a name, for looking it up. Does not validate.</summary>
    public static string Canonical(string name)
    {
        if (!name.StartsWith(Inbox, StringComparison.OrdinalIgnoreCase) || name.StartsWith(Inbox, StringComparison.Ordinal))
            return name;
        return name.Length == Inbox.Length || name[Inbox.Length] == Separator ? Inbox + name[Inbox.Length..] : name;
    }

    /// <summary>The canonical name of a mailbox that is to be made, or why there can be none of this name.</summary>
    public static Result<string> ForCreation(string name)
    {
        // RFC 9051 §6.3.4: a trailing separator only says that names below will follow.
        if (name.EndsWith(Separator) && name.Length > 1)
            name = name[..^1];
        if (name.Length == 0)
            return Rejection.Invalid("Empty mailbox name");
        if (Encoding.UTF8.GetByteCount(name) > MailboxLimits.MaxNameBytes)
            return Rejection.Limit("Mailbox name too long");
        // RFC 3501 §5.1.2: names beginning with "#" are namespaces.
        if (name[0] == '#')
            return Rejection.Invalid("No such namespace");
        if (!IsText(name))
            return Rejection.Invalid("Invalid character in mailbox name");
        var levels = name.Split(Separator);
        if (levels.Length > MailboxLimits.MaxDepth)
            return Rejection.Limit("Too many levels in mailbox name");
        foreach (var level in levels)
        {
            if (level.Length == 0)
                return Rejection.Invalid("Empty level in mailbox name");
            if (Encoding.UTF8.GetByteCount(level) > MailboxLimits.MaxLevelBytes)
                return Rejection.Limit("Mailbox name too long");
        }
        return Canonical(name);
    }

    // RFC 9051 §5.1: no control characters, no line or paragraph separators. Lone surrogates are no Unicode text.
    private static bool IsText(string name)
    {
        for (var i = 0; i < name.Length; i++)
        {
            var c = name[i];
            if (char.IsControl(c) || c is '\u2028' or '\u2029' or '\ufffe' or '\uffff')
                return false;
            if (!char.IsSurrogate(c))
                continue;
            if (!char.IsHighSurrogate(c) || i + 1 == name.Length || !char.IsLowSurrogate(name[++i]))
                return false;
        }
        return true;
    }

    /// <summary>The names above this one, outermost first.</summary>
    public static IEnumerable<string> Parents(string name)
    {
        for (var at = name.IndexOf(Separator); at >= 0; at = name.IndexOf(Separator, at + 1))
            yield return name[..at];
    }

    public static bool IsBelow(string name, string parent) =>
        name.Length > parent.Length && name[parent.Length] == Separator && name.StartsWith(parent, StringComparison.Ordinal);

    /// <summary>The order of LIST: INBOX and what is below it first, then by code units, each parent before its children.</summary>
    public static readonly IComparer<string> Order = Comparer<string>.Create(static (a, b) =>
    {
        var first = IsInboxOrBelow(b).CompareTo(IsInboxOrBelow(a));
        if (first != 0)
            return first;
        for (var i = 0; i < a.Length && i < b.Length; i++)
        {
            if (a[i] == b[i])
                continue;
            // The separator sorts below everything: "a/b" before "a!".
            return a[i] == Separator ? -1 : b[i] == Separator ? 1 : a[i].CompareTo(b[i]);
        }
        return a.Length.CompareTo(b.Length);
    });

    private static bool IsInboxOrBelow(string name) => name == Inbox || IsBelow(name, Inbox);
}
