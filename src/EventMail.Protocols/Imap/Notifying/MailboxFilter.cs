using EventMail.Domain.Mailboxes;
using EventMail.Projections.Mailboxes;

namespace EventMail.Protocols.Imap.Notifying;

/// <summary>filter-mailboxes-other (RFC 5465 §6.2 to §6.6).</summary>
internal enum FilterKind : byte
{
    Personal,
    Inboxes,
    Subscribed,
    Subtree,
    Mailboxes,
}

/// <param name="Names">Of subtree and mailboxes; canonical.</param>
internal sealed record MailboxFilter(FilterKind Kind, IReadOnlySet<string> Names)
{
    private static readonly IReadOnlySet<string> NoNames = new HashSet<string>();

    public MailboxFilter(FilterKind kind)
        : this(kind, NoNames)
    {
    }

    /// <summary>Whether a mailbox of this name, if there is one, is meant.</summary>
    /// <param name="subscribed">Now, so that a changed list counts at once (§6.4).</param>
    public bool Matches(string name, IReadOnlySet<string> subscribed) => Kind switch
    {
        FilterKind.Personal => !MailboxService.IsOthers(name),
        // §6.3: mail is delivered into the one.
        FilterKind.Inboxes => name == MailboxName.Inbox,
        FilterKind.Subscribed => subscribed.Contains(name),
        FilterKind.Subtree => Names.Contains(name) || MailboxName.Parents(name).Any(Names.Contains),
        // §6.6: no wildcards.
        _ => Names.Contains(name),
    };
}
