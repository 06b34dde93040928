using EventMail.Domain.Reception;

namespace EventMail.Projections.Mailboxes;

/// <summary>Where a message from another server is put.</summary>
public enum Placement
{
    Inbox,

    /// <summary>The mailbox with \Junk (RFC 6154); INBOX where an account has none.</summary>
    Junk,
}

/// <summary>What is known of a message that arrives, beside its envelope.</summary>
/// <param name="Authentication">Null: it was not checked.</param>
/// <param name="Verdicts">Null: no filter was asked.</param>
public sealed record Arrival(Placement Placement, Authentication? Authentication, FilterVerdict[]? Verdicts = null)
{
    /// <summary>Not checked, for INBOX.</summary>
    public static readonly Arrival Plain = new(Placement.Inbox, null);
}
