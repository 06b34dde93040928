using EventMail.Domain.Mailboxes;
using EventMail.Projections.Mailboxes;

namespace EventMail.Protocols.Imap.Notifying;

/// <summary>
/// Finds what became of names by comparing what the client knows with what there is now, so that it does not matter who did it, where,
/// or in how many steps. What the session did itself it takes note of, and tells nothing (RFC 5465 §5).
/// </summary>
/// <param name="known">By id; moved along.</param>
/// <param name="before">Subscribed names as the client knows them.</param>
internal sealed class NameChanges(
    NotifyRequest request, Dictionary<Guid, KnownMailbox> known, IReadOnlySet<string> before, IReadOnlySet<string> subscribed, MailboxMarks marks)
{
    private readonly Dictionary<string, string> _renamed = new(StringComparer.Ordinal);

    public NameNotices Notices { get; } = new();

    public void Compare(IReadOnlyList<MailboxEntry> mailboxes)
    {
        var now = mailboxes.Where(entry => entry.Selectable).ToDictionary(entry => entry.Id);
        foreach (var (id, mailbox) in known)
        {
            if (now.ContainsKey(id))
                continue;
            known.Remove(id);
            TellGone(id, mailbox);
        }

        // In LIST's order: what is above comes first.
        foreach (var entry in mailboxes)
        {
            if (!entry.Selectable)
                continue;
            if (known.TryGetValue(entry.Id, out var mailbox))
                Move(entry, mailbox);
            else
                Add(entry);
        }

        foreach (var name in before.Except(subscribed).Concat(subscribed.Except(before)))
            TellSubscription(name);
    }

    // By others, or by who knows whom.
    private bool ByOthers(Guid id) =>
        !marks.Mailboxes.TryGetValue(id, out var mark) || (mark.Others & MailboxNews.Name) != 0 || (mark.Own & MailboxNews.Name) == 0;

    private void TellGone(Guid id, KnownMailbox mailbox)
    {
        if (!ByOthers(id) || !mailbox.Readable || mailbox.Events == NotifyEvents.None)
            return;
        // §5.9: another's mailbox may be there still, which this client must not learn; either way it has no access to it.
        if (MailboxService.IsOthers(mailbox.Name))
            Notices.AddNoAccess(mailbox.Name);
        else if ((mailbox.Events & NotifyEvents.MailboxName) != 0)
            TellName(mailbox.Name);
    }

    private void Add(MailboxEntry entry)
    {
        var events = request.Of(entry.Name, subscribed);
        var mailbox = known[entry.Id] = new(entry, events);
        if (!ByOthers(entry.Id))
            return;
        // What was put into it already is told as well; and §5.1 wants UIDVALIDITY told, since there may have been one of this name.
        mailbox.IsNew = entry.Messages > 0 || (events & NotifyEvents.FlagChange) != 0;
        if (!mailbox.Readable && events != NotifyEvents.None)
            Notices.AddNoAccess(entry.Name);
        // §5.4: of INBOX, which stays, nothing is told when it is renamed.
        else if (marks.Mailboxes.TryGetValue(entry.Id, out var mark) && mark.RenamedFrom is { } from && known.TryGetValue(from, out var source)
            && ((events | source.Events) & NotifyEvents.MailboxName) != 0)
            Notices.AddRenamed(entry.Name, source.Name);
        else if ((events & NotifyEvents.MailboxName) != 0)
            TellName(entry.Name);
        else if (events != NotifyEvents.None && MailboxService.IsOthers(entry.Name))
            // §5.9: it may have been told of as \NoAccess.
            Notices.Add(entry.Name);
    }

    // §5.4: "the mailbox itself and its direct parent (whether it is an existing mailbox or not)".
    private void TellName(string name)
    {
        Notices.Add(name);
        if (MailboxName.Parents(name).LastOrDefault() is { } parent && (request.Of(parent, subscribed) & NotifyEvents.MailboxName) != 0)
            Notices.Add(parent);
    }

    private void Move(MailboxEntry entry, KnownMailbox mailbox)
    {
        var (events, readable) = (request.Of(entry.Name, subscribed), KnownMailbox.MayObserve(entry));
        if (mailbox.Name != entry.Name)
        {
            _renamed[mailbox.Name] = entry.Name;
            var told = ((events | mailbox.Events) & NotifyEvents.MailboxName) != 0;
            if (told && readable && ByOthers(entry.Id) && !MovedWithParent(mailbox.Name, entry.Name))
                Notices.AddRenamed(entry.Name, mailbox.Name);
        }

        if (events != NotifyEvents.None && readable != mailbox.Readable)
        {
            // §5.9
            if (readable)
                Notices.Add(entry.Name);
            else
                Notices.AddNoAccess(entry.Name);
        }

        // What the client was not told of before it is told of from here on.
        if (!mailbox.Readable || (mailbox.Events & NotifyEvents.OfMessages) == 0)
            mailbox.Take(entry);
        (mailbox.Name, mailbox.Events, mailbox.Readable) = (entry.Name, events, readable);
    }

    // §5.4: "No additional MailboxName events are sent for children in this case."
    private bool MovedWithParent(string old, string now)
    {
        foreach (var parent in MailboxName.Parents(old))
        {
            if (_renamed.TryGetValue(parent, out var moved) && now == moved + old[parent.Length..]
                && ((request.Of(parent, subscribed) | request.Of(moved, subscribed)) & NotifyEvents.MailboxName) != 0)
                return true;
        }

        return false;
    }

    // A mailbox that was subscribed until now still counts as such (§6.4).
    private void TellSubscription(string name)
    {
        if (marks.Subscriptions.TryGetValue(name, out var byOthers) && !byOthers)
            return;
        if (((request.Of(name, subscribed) | request.Of(name, before)) & NotifyEvents.SubscriptionChange) != 0)
            Notices.Add(name);
    }
}
