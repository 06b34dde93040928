using EventMail.Domain.Mailboxes;
using EventMail.Projections.Mailboxes;

namespace EventMail.Protocols.Imap.Grammar;

internal enum MailboxFilterKind : byte
{
    Selected,
    Inboxes,
    Personal,
    Subscribed,
    Subtree,

    /// <summary>RFC 7377 §2.2: the mailboxes themselves and one level below.</summary>
    SubtreeOne,

    Mailboxes,
}

/// <summary>filter-mailboxes (RFC 5465 §6), with what RFC 7377 §4 adds: names some of an account's mailboxes.</summary>
internal sealed record MailboxFilter(MailboxFilterKind Kind, IReadOnlyList<string> Names)
{
    /// <param name="selected">The selected mailbox's id.</param>
    /// <param name="subscriptions">Looked at by <see cref="MailboxFilterKind.Subscribed"/> alone.</param>
    public bool Matches(MailboxEntry mailbox, Guid? selected, IReadOnlyCollection<string> subscriptions) => Kind switch
    {
        MailboxFilterKind.Selected => mailbox.Id == selected,
        // RFC 5465 §6.3: those that mail may be delivered to; here it goes to INBOX.
        MailboxFilterKind.Inboxes => mailbox.Name == MailboxName.Inbox,
        MailboxFilterKind.Personal => !mailbox.IsOthers,
        MailboxFilterKind.Subscribed => subscriptions.Contains(mailbox.Name),
        MailboxFilterKind.Subtree => Names.Any(name => mailbox.Name == name || MailboxName.IsBelow(mailbox.Name, name)),
        MailboxFilterKind.SubtreeOne => Names.Any(name => mailbox.Name == name || IsChild(mailbox.Name, name)),
        _ => Names.Contains(mailbox.Name, StringComparer.Ordinal),
    };

    private static bool IsChild(string name, string parent) =>
        MailboxName.IsBelow(name, parent) && !name.AsSpan(parent.Length + 1).Contains(ListPattern.Separator);
}

internal ref partial struct CommandParser
{
    private const int MaxFilterNames = 1000;

    // filter-mailboxes = "selected" / "inboxes" / "personal" / "subscribed" /
    //                    ("subtree" / "subtree-one" / "mailboxes") SP one-or-more-mailbox
    public bool ExpectMailboxFilter(out MailboxFilter filter)
    {
        filter = null!;
        MailboxFilterKind? kind =
            TryWord("SELECTED"u8) ? MailboxFilterKind.Selected
            : TryWord("INBOXES"u8) ? MailboxFilterKind.Inboxes
            : TryWord("PERSONAL"u8) ? MailboxFilterKind.Personal
            : TryWord("SUBSCRIBED"u8) ? MailboxFilterKind.Subscribed
            : TryWord("SUBTREE-ONE"u8) ? MailboxFilterKind.SubtreeOne
            : TryWord("SUBTREE"u8) ? MailboxFilterKind.Subtree
            : TryWord("MAILBOXES"u8) ? MailboxFilterKind.Mailboxes
            : null;
        if (kind is not { } known)
            return Fail("Unknown mailbox filter");
        List<string> names = [];
        if (known >= MailboxFilterKind.Subtree && (!ExpectSp() || !ExpectMailboxes(names)))
            return false;
        filter = new(known, names);
        return true;
    }

    // one-or-more-mailbox = mailbox / "(" mailbox *(SP mailbox) ")"
    private bool ExpectMailboxes(List<string> names)
    {
        var many = TryByte('(');
        do
        {
            if (!ExpectMailbox(out var name))
                return false;
            if (names.Count == MaxFilterNames)
                return Fail("Too many mailboxes");
            names.Add(MailboxName.Canonical(name));
        }
        while (many && TrySp());
        return !many || ExpectByte(')');
    }
}
