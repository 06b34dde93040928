using EventMail.Domain.Mailboxes;
using EventMail.Projections.Mailboxes;
using EventMail.Protocols.Imap.Commands;
using EventMail.Protocols.Imap.Listing;

namespace EventMail.Protocols.Imap.Notifying;

/// <summary>LIST responses that tell of names (RFC 5465 §5.4, §5.5, §5.9): gathered, each name once, and told in LIST's order.</summary>
internal sealed class NameNotices
{
    private readonly record struct Notice(string? OldName, bool NoAccess);

    private readonly SortedDictionary<string, Notice> _notices = new(MailboxName.Order);

    public void Add(string name) => _notices.TryAdd(name, default);

    /// <summary>The client may not hear of it: it has no right to.</summary>
    public void AddNoAccess(string name) => _notices[name] = new(null, NoAccess: true);

    public void AddRenamed(string name, string oldName) => _notices[name] = new(oldName, NoAccess: false);

    public async ValueTask WriteAsync(ImapSession session, IReadOnlyList<MailboxEntry> mailboxes, IReadOnlySet<string> subscribed)
    {
        if (_notices.Count == 0)
            return;
        var entries = mailboxes.ToDictionary(entry => entry.Name, StringComparer.Ordinal);
        foreach (var (name, notice) in _notices)
        {
            var listed = new ListedName(name, entries.GetValueOrDefault(name), subscribed.Contains(name), Matches: true);
            List.WriteNotice(session, listed, notice.OldName, notice.NoAccess);
            await session.Writer.FlushIfFullAsync().ConfigureAwait(false);
        }
    }
}
