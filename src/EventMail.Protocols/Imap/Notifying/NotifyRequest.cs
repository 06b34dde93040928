using EventMail.Protocols.Imap.Fetching;

namespace EventMail.Protocols.Imap.Notifying;

/// <summary>event-group of mailboxes that are not selected.</summary>
/// <param name="Events"><see cref="NotifyEvents.None"/> for NONE.</param>
internal readonly record struct EventGroup(MailboxFilter Filter, NotifyEvents Events);

/// <summary>event-group of the selected mailbox (RFC 5465 §6.1), whichever that is at the time.</summary>
/// <param name="Delayed">Expunges are told only where a command allows it.</param>
/// <param name="Items">What is fetched of new messages; empty for nothing.</param>
internal sealed record SelectedGroup(NotifyEvents Events, bool Delayed, List<FetchItem> Items)
{
    /// <summary>RFC 5465 §3.1: where neither is specified it is as SELECTED NONE.</summary>
    public static readonly SelectedGroup None = new(NotifyEvents.None, Delayed: false, []);
}

/// <summary>What a client has asked to be notified of.</summary>
/// <param name="Status">How the mailboxes stand is told first.</param>
internal sealed record NotifyRequest(bool Status, SelectedGroup Selected, IReadOnlyList<EventGroup> Groups)
{
    /// <summary>NOTIFY NONE.</summary>
    public static readonly NotifyRequest None = new(Status: false, SelectedGroup.None, []);

    /// <summary>Of any mailbox.</summary>
    public NotifyEvents All { get; } = Groups.Aggregate(NotifyEvents.None, (all, group) => all | group.Events);

    /// <summary>
    /// RFC 5465 §6: several groups may apply to one mailbox, and each adds its events; NONE is for mailboxes that the groups behind it
    /// shall not apply to.
    /// </summary>
    public NotifyEvents Of(string mailbox, IReadOnlySet<string> subscribed)
    {
        var events = NotifyEvents.None;
        foreach (var group in Groups)
        {
            if (!group.Filter.Matches(mailbox, subscribed))
                continue;
            if (group.Events == NotifyEvents.None)
                break;
            events |= group.Events;
        }

        return events;
    }
}
