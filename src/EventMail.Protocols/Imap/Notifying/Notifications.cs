using EventMail.Domain.Mailboxes;
using EventMail.Projections.Mailboxes;
using EventMail.Protocols.Imap.Fetching;
using EventMail.Protocols.Imap.Selected;

namespace EventMail.Protocols.Imap.Notifying;

/// <summary>
/// What a client that has used NOTIFY is told between its commands, and in IDLE (RFC 5465). A commit leaves a mark and wakes the
/// session; what it tells is the difference between what its client knows and what there is then. Not thread-safe: the session's.
/// </summary>
internal sealed class Notifications : IDisposable
{
    private readonly ImapSession _session;
    private readonly MailboxWatch? _watch;
    private readonly Action _wake;
    private readonly Dictionary<Guid, KnownMailbox> _known = [];
    private HashSet<string> _subscribed = new(StringComparer.Ordinal);

    // Mailboxes that were left: what was not told of them while they were selected is told now.
    private readonly HashSet<Guid> _left = [];

    // Of the selected mailbox: the first UID of which nothing has been fetched, and the messages that the client put there itself.
    private uint _newFrom;
    private UidSet _ownNew = UidSet.Empty;

    private Notifications(ImapSession session, NotifyRequest request)
    {
        (_session, Request) = (session, request);
        // One of its own, which can be taken off without another's.
        _wake = () => session.Connection.Wake();
        // RFC 5465 §5.2: what this client brings in itself is not fetched for it.
        if (request.All != NotifyEvents.None || request.Selected.Items.Count > 0)
            _watch = session.Services.Mailboxes.Watch(session.User!.Id, session.SessionId, session.Limits.MaxPendingNotifications, request.All != NotifyEvents.None ? _wake : null);
        if (session.Selected is { } selected)
            OnSelect(selected);
    }

    public NotifyRequest Request { get; }

    public bool Tells(NotifyEvents ofSelected) => (Request.Selected.Events & ofSelected) != 0;

    /// <summary>Whether the client wants to hear of annotations.</summary>
    /// <param name="mailbox">Null for the server's.</param>
    public bool WantsMetadata(MailboxEntry? mailbox) => mailbox is null
        ? (Request.All & NotifyEvents.ServerMetadataChange) != 0
        : KnownMailbox.MayObserve(mailbox) && (Request.Of(mailbox.Name, _subscribed) & NotifyEvents.MailboxMetadataChange) != 0;

    /// <summary>NOTIFY NONE, and what it is after an overflow.</summary>
    public static Notifications OfNothing(ImapSession session) => new(session, NotifyRequest.None);

    /// <summary>NOTIFY SET: with what the client is told at once.</summary>
    public static async ValueTask<Notifications> BeginAsync(ImapSession session, NotifyRequest request)
    {
        var notifications = new Notifications(session, request);
        try
        {
            await notifications.TellFirstAsync().ConfigureAwait(false);
            return notifications;
        }
        catch
        {
            notifications.Dispose();
            throw;
        }
    }

    private async ValueTask TellFirstAsync()
    {
        if (_watch is null || Request.All == NotifyEvents.None)
            return;
        var mailboxes = await ListAsync().ConfigureAwait(false);
        _subscribed = await SubscribedAsync().ConfigureAwait(false);
        var refused = new NameNotices();
        foreach (var entry in mailboxes)
        {
            if (!entry.Selectable)
                continue;
            var known = _known[entry.Id] = new(entry, Request.Of(entry.Name, _subscribed));
            // RFC 5465 §3.1
            if (!known.Readable && known.Events != NotifyEvents.None)
                refused.AddNoAccess(entry.Name);
        }

        IgnoreOthers();
        await refused.WriteAsync(_session, mailboxes, _subscribed).ConfigureAwait(false);
        if (!Request.Status)
            return;
        foreach (var entry in mailboxes)
        {
            if (_known.TryGetValue(entry.Id, out var known) && known.Readable && !IsSelected(entry.Id))
                await StatusNotice.WriteAsync(_session, entry, known.Events).ConfigureAwait(false);
        }
    }

    // Nothing of what happens to their messages is asked for, or may be known.
    private void IgnoreOthers() => _watch!.Ignore(_known
        .Where(pair => !pair.Value.Readable || (pair.Value.Events & NotifyEvents.OfMessages) == 0).Select(pair => pair.Key).ToHashSet());

    private Task<IReadOnlyList<MailboxEntry>> ListAsync() => _session.Services.Mailboxes.ListAsync(_watch!, _session.Cancel);

    private async ValueTask<HashSet<string>> SubscribedAsync() => new(
        await _session.Services.Mailboxes.SubscriptionsAsync(_session.User!.Id, _session.Cancel).ConfigureAwait(false), StringComparer.Ordinal);

    private bool IsSelected(Guid id) => _session.Selected is { } selected && selected.Mailbox.Key.Id == id;

    public void OnSelect(SelectedMailbox selected)
    {
        (_newFrom, _ownNew) = (selected.Known.UidNext, UidSet.Empty);
        if (Tells(NotifyEvents.OfMessages))
            selected.Mailbox.Changed += _wake;
    }

    public void OnDeselect(SelectedMailbox selected)
    {
        selected.Mailbox.Changed -= _wake;
        if (!_known.TryGetValue(selected.Mailbox.Key.Id, out var known))
            return;
        known.Take(selected.Known);
        _left.Add(selected.Mailbox.Key.Id);
    }

    /// <summary>Tells what is new, where no command is in progress. False when the session is over.</summary>
    /// <param name="idle">In IDLE, which allows expunges to be told (§6.1.2).</param>
    public async ValueTask<bool> TellAsync(bool idle)
    {
        var marks = _watch?.Take();
        var before = _session.Writer.Pending;
        var delayed = Request.Selected.Delayed && !idle;
        if (!await _session.SyncAsync(delayed ? Sync.WithoutExpunges : Sync.Everything).ConfigureAwait(false))
            return false;
        if (delayed && _session.Writer.Pending > before)
            _session.Selected?.TellHeldModSeq(_session.Writer);
        if (marks is { Overflow: true })
            return Overflow();
        try
        {
            await TellNewMessagesAsync(marks).ConfigureAwait(false);
            if (Request.All != NotifyEvents.None)
                await TellOthersAsync(marks).ConfigureAwait(false);
            return _session.Writer.ClientThere;
        }
        catch (Exception error)
        {
            _session.Failed(error, "NOTIFY");
            if (!_session.Writer.InResponse)
                return Overflow();
            // Half a response cannot be taken back.
            _session.Connection.Abort();
            return false;
        }
    }

    // §5.8: "and behave as if a NOTIFY NONE command had just been received".
    private bool Overflow()
    {
        _session.Writer.Untagged("OK"u8, "NOTIFICATIONOVERFLOW", "Notifications end here: something was lost");
        _session.Notify(OfNothing(_session));
        return true;
    }

    // §5.2: behind the EXISTS, which SyncAsync has told.
    private async ValueTask TellNewMessagesAsync(MailboxMarks? marks)
    {
        if (_session.Selected is not { } selected || Request.Selected.Items.Count == 0)
            return;
        if (marks is not null && marks.Mailboxes.TryGetValue(selected.Mailbox.Key.Id, out var mark))
            _ownNew = _ownNew.Union(mark.OwnUids);
        var (first, next) = (_newFrom, selected.Known.UidNext);
        if (next <= first)
            return;
        _newFrom = next;
        var uids = selected.Known.Existing(UidSet.OfRange(first, next - 1).Except(_ownNew));
        _ownNew = _ownNew.Except(UidSet.OfRange(1, next - 1));
        if (uids.IsEmpty)
            return;
        var items = Request.Selected.Items;
        // RFC 7162 §3.2.4
        if (_session.Has(Extensions.Condstore) && items.Exists(item => item.Kind == FetchKind.Flags))
            FetchParser.AddModSeq(items);
        await new FetchRunner(_session, new(items), selected.Known.SequenceOfUids(uids), UidSet.Empty).RunAsync().ConfigureAwait(false);
    }

    private async ValueTask TellOthersAsync(MailboxMarks? marks)
    {
        if (marks is null && _left.Count == 0)
            return;
        marks ??= new(new Dictionary<Guid, MailboxMark>(), new Dictionary<string, bool>(), Overflow: false);
        Dictionary<Guid, MailboxEntry>? now = null;
        if (marks.OfNames)
        {
            var mailboxes = await ListAsync().ConfigureAwait(false);
            var subscribed = await SubscribedAsync().ConfigureAwait(false);
            var changes = new NameChanges(Request, _known, _subscribed, subscribed, marks);
            changes.Compare(mailboxes);
            _subscribed = subscribed;
            IgnoreOthers();
            await changes.Notices.WriteAsync(_session, mailboxes, subscribed).ConfigureAwait(false);
            now = mailboxes.Where(entry => entry.Selectable).ToDictionary(entry => entry.Id);
        }

        var marked = marks.Mailboxes.Keys.Union(_left).ToList();
        foreach (var id in marked)
        {
            if (_known.TryGetValue(id, out var known) && known.Readable && (known.Events & NotifyEvents.OfMessages) != 0 && !IsSelected(id)
                && await FindAsync(id, known, now).ConfigureAwait(false) is { } entry)
                await TellMailboxAsync(entry, known, marks.Mailboxes.TryGetValue(id, out var mark) ? mark : null).ConfigureAwait(false);
        }

        _left.Clear();
    }

    // Null where it was renamed, or is gone, this very moment: that has left a mark of its own.
    private async ValueTask<MailboxEntry?> FindAsync(Guid id, KnownMailbox known, Dictionary<Guid, MailboxEntry>? now)
    {
        if (now is not null)
            return now.GetValueOrDefault(id);
        var found = await _session.Services.Mailboxes.FindAsync(_session.User!.Id, known.Name, _session.Cancel).ConfigureAwait(false);
        return found.Value is { } entry && entry.Id == id ? entry : null;
    }

    private ValueTask TellMailboxAsync(MailboxEntry entry, KnownMailbox known, MailboxMark? mark)
    {
        var news = mark?.Others ?? MailboxNews.None;
        if (known.IsNew)
            news |= MailboxNews.Messages;
        else if (_left.Contains(entry.Id) && (mark is null || mark.Value.Others != MailboxNews.None))
            news |= MailboxNews.Unknown;
        if ((news & ~MailboxNews.Name) != MailboxNews.None)
            return StatusNotice.WriteAsync(_session, entry, known, news);
        // The session's own doing.
        known.Take(entry);
        return default;
    }

    public void Dispose()
    {
        if (_session.Selected is { } selected)
            selected.Mailbox.Changed -= _wake;
        _watch?.Dispose();
    }
}
