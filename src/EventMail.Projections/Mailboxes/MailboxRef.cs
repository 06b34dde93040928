using EventMail.Domain;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Past;

namespace EventMail.Projections.Mailboxes;

/// <summary>A mailbox that somebody means: what they may do with it is decided when they do it.</summary>
/// <param name="Viewer">The id of the account that acts.</param>
/// <param name="Prefix">What stands before the owner's name for it in the viewer's: empty for one's own.</param>
public readonly record struct MailboxRef(StreamKey Key, string Viewer, string Prefix)
{
    /// <summary>The mailbox as it was at some instant: there to be read.</summary>
    public bool IsPast { get; init; }

    /// <summary>The owner's id.</summary>
    public string Owner => Key.Tenant;

    public Rights RightsIn(MailboxState state) => IsPast ? PastNamespace.Held : state.RightsOf(Viewer, Owner);

    /// <summary>Null when the viewer may do what needs these rights.</summary>
    public Rejection? Refuse(MailboxState state, Rights needed) =>
        IsPast && (needed & ~PastNamespace.Held) != 0 ? PastNamespace.ReadOnly : AccessDecider.Refuse(state, RightsIn(state), needed);
}
