using System.Data.Common;
using EventMail.EventStore;
using EventMail.Projections.Metadata;

namespace EventMail.Protocols.Imap.Annotations;

/// <summary>
/// What others have changed since the client was told last (RFC 5464 §4.4.2): noted as it is committed, told where the session tells
/// all news. Thread-safe but for <see cref="TellAsync"/>, which the session alone calls.
/// </summary>
internal sealed class MetadataNotices : IDisposable
{
    /// <summary>Entries that wait to be told; of more than these the client is not told.</summary>
    private const int MaxEntries = 10_000;

    private readonly ImapSession _session;
    private readonly string _account;
    private readonly Lock _gate = new();
    private Dictionary<Guid, SortedSet<string>> _mailboxes = [];
    private SortedSet<string> _server = [];
    private volatile int _count;

    public MetadataNotices(ImapSession session)
    {
        (_session, _account) = (session, session.User!.Id);
        session.Services.Metadata.Changed += Note;
    }

    private void Note(MetadataNotice notice)
    {
        // Others' mailboxes are many: what is not shared with this account neither wakes its sessions nor takes their room.
        if (notice.Session == _session.SessionId || !notice.MayConcern(_account))
            return;
        lock (_gate)
        {
            foreach (var change in notice.Changes)
            {
                if ((change.Account is not null && change.Account != _account) || _count >= MaxEntries)
                    continue;
                if (SetOf(notice.Mailbox).Add(change.Entry))
                    _count++;
            }
        }

        if (_count > 0)
            _session.Connection.Wake();
    }

    private SortedSet<string> SetOf(Guid? mailbox)
    {
        if (mailbox is not { } id)
            return _server;
        if (!_mailboxes.TryGetValue(id, out var set))
            _mailboxes[id] = set = [];
        return set;
    }

    public async ValueTask TellAsync()
    {
        if (_count == 0)
            return;
        try
        {
            await TellNotedAsync().ConfigureAwait(false);
        }
        catch (Exception error) when (error is DbException or TimeoutException)
        {
            // What is noted stays noted: it is told when the database is there again.
            _session.Failed(error, "METADATA");
        }
    }

    private async ValueTask TellNotedAsync()
    {
        // What the account may not see is not in its list.
        var list = await _session.Services.Mailboxes.ListAsync(_account, _session.Cancel).ConfigureAwait(false);
        Dictionary<Guid, SortedSet<string>> mailboxes;
        SortedSet<string> server;
        lock (_gate)
        {
            (mailboxes, server) = (_mailboxes, _server);
            (_mailboxes, _server, _count) = ([], [], 0);
        }

        // RFC 5465 §5.6: who is notified need not have enabled it.
        var enabled = _session.Has(Extensions.Metadata);
        if (server.Count > 0 && (enabled || _session.Notifying?.WantsMetadata(null) == true))
            MetadataResponse.WriteChanged(_session.Writer, "", server);
        if (mailboxes.Count == 0)
            return;
        foreach (var mailbox in list)
        {
            if (!enabled && _session.Notifying?.WantsMetadata(mailbox) != true)
                continue;
            if (mailbox.Selectable && MetadataService.MayAnnotate(mailbox.Rights) && mailboxes.TryGetValue(mailbox.Id, out var entries))
                MetadataResponse.WriteChanged(_session.Writer, mailbox.Name, entries);
        }
    }

    public void Dispose() => _session.Services.Metadata.Changed -= Note;
}
