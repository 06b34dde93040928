using System.Collections.Immutable;
using EventMail.Domain.Accounts;
using EventMail.EventStore;

namespace EventMail.Projections.Mailboxes;

/// <summary>
/// Gathers which of the mailboxes that an account can see have moved, one mark for each however often it did, until it is read.
/// What became of them is asked of <see cref="MailboxService"/>. Thread-safe. Dispose it when nobody reads it any more.
/// </summary>
public sealed class MailboxWatch : IDisposable
{
    private readonly MailboxWatches _all;
    private readonly string _session;
    private readonly int _limit;
    private readonly Action? _wake;
    private readonly Lock _gate = new();
    private Dictionary<Guid, MailboxMark> _mailboxes = [];
    private Dictionary<string, bool> _subscriptions = new(StringComparer.Ordinal);
    private IReadOnlySet<Guid> _ignored = ImmutableHashSet<Guid>.Empty;
    private int _others;
    private bool _overflow;

    internal MailboxWatch(MailboxWatches all, string viewer, string session, int limit, Action? wake) =>
        (_all, Viewer, _session, _limit, _wake) = (all, viewer, session, limit, wake);

    /// <summary>The id of the account that watches.</summary>
    public string Viewer { get; }

    /// <summary>The accounts whose mailboxes it hears of; guarded by <see cref="MailboxWatches"/>.</summary>
    internal ImmutableHashSet<string> Owners { get; set; } = [];

    /// <summary>What has been gathered since the last call; null when there is nothing.</summary>
    public MailboxMarks? Take()
    {
        lock (_gate)
        {
            if (_mailboxes.Count == 0 && _subscriptions.Count == 0 && !_overflow)
                return null;
            var marks = new MailboxMarks(_mailboxes, _subscriptions, _overflow);
            (_mailboxes, _subscriptions, _others, _overflow) = ([], new(StringComparer.Ordinal), 0, false);
            // What is ignored may have a name now that is not: until it is said again nothing is.
            if (marks.OfNames)
                _ignored = ImmutableHashSet<Guid>.Empty;
            return marks;
        }
    }

    /// <summary>
    /// Of these mailboxes what others do to their messages is nobody's question. Until marks are taken that are
    /// <see cref="MailboxMarks.OfNames"/>.
    /// </summary>
    public void Ignore(IReadOnlySet<Guid> mailboxes)
    {
        lock (_gate)
            _ignored = mailboxes;
    }

    /// <summary>There is something new of others.</summary>
    internal void Wake() => _wake!();

    /// <returns>True: <see cref="Wake"/> it, once all of the commit is noted.</returns>
    internal bool Note(StreamChange change)
    {
        var wake = false;
        lock (_gate)
        {
            foreach (var e in change.Events)
            {
                var news = MailboxMark.NewsIn(e.Data);
                if (news == MailboxNews.None)
                    continue;
                if (e.Metadata.CorrelationId == _session)
                    _mailboxes[change.Key.Id] = _mailboxes.GetValueOrDefault(change.Key.Id, MailboxMark.None).WithOwn(news, e);
                else
                    wake |= NoteOthers(change.Key.Id, news);
            }
            if (_mailboxes.TryGetValue(change.Key.Id, out var mark) && MailboxMark.RenamedIn(change) is { } from)
                _mailboxes[change.Key.Id] = mark with { RenamedFrom = from };
        }
        return wake;
    }

    /// <summary>Somebody did something to a mailbox.</summary>
    internal bool Note(Guid mailbox, MailboxNews news)
    {
        lock (_gate)
            return NoteOthers(mailbox, news);
    }

    internal bool NoteSubscriptions(StreamChange change)
    {
        if (_wake is null)
            return false;
        var wake = false;
        lock (_gate)
        {
            foreach (var e in change.Events)
            {
                var name = e.Data switch { MailboxSubscribed on => on.Name, MailboxUnsubscribed off => off.Name, _ => null };
                if (name is null)
                    continue;
                var own = e.Metadata.CorrelationId == _session;
                if (own || Admit(!_subscriptions.GetValueOrDefault(name)))
                    _subscriptions[name] = !own;
                wake |= !own;
            }
        }
        return wake;
    }

    // False when it was marked so already, or nobody asks.
    private bool NoteOthers(Guid mailbox, MailboxNews news)
    {
        if (_wake is null || ((news & MailboxNews.Name) == 0 && _ignored.Contains(mailbox)))
            return false;
        var known = _mailboxes.GetValueOrDefault(mailbox, MailboxMark.None);
        if ((known.Others & news) == news || !Admit(known.Others == MailboxNews.None))
            return false;
        _mailboxes[mailbox] = known with { Others = known.Others | news };
        return true;
    }

    private bool Admit(bool isNew)
    {
        if (_overflow)
            return false;
        if (!isNew || ++_others <= _limit)
            return true;
        _overflow = true;
        _mailboxes.Clear();
        _subscriptions.Clear();
        _wake!();
        return false;
    }

    public void Dispose() => _all.End(this);
}
