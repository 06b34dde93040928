using System.Collections.Concurrent;
using System.Collections.Immutable;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Accounts;

namespace EventMail.Projections.Mailboxes;

/// <summary>
/// Hands commits, this node's and others', to those who watch the accounts whose mailboxes they touch. Where nobody watches it costs
/// a look. Thread-safe.
/// </summary>
internal sealed class MailboxWatches
{
    private readonly ConcurrentDictionary<string, ImmutableArray<MailboxWatch>> _byOwner = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private ImmutableArray<MailboxWatch> _all = [];

    public MailboxWatch Begin(string viewer, string session, int limit, Action? wake)
    {
        var watch = new MailboxWatch(this, viewer, session, limit, wake);
        lock (_gate)
            _all = _all.Add(watch);
        Follow(watch, [viewer]);
        return watch;
    }

    /// <summary>From here on these accounts' mailboxes are watched.</summary>
    public void Follow(MailboxWatch watch, ImmutableHashSet<string> owners)
    {
        lock (_gate)
        {
            foreach (var owner in owners.Except(watch.Owners))
                _byOwner[owner] = _byOwner.GetValueOrDefault(owner, []).Add(watch);
            foreach (var owner in watch.Owners.Except(owners))
                Forget(watch, owner);
            watch.Owners = owners;
        }
    }

    public void End(MailboxWatch watch)
    {
        Follow(watch, []);
        lock (_gate)
            _all = _all.Remove(watch);
    }

    private void Forget(MailboxWatch watch, string owner)
    {
        var left = _byOwner.GetValueOrDefault(owner, []).Remove(watch);
        if (left.IsEmpty)
            _byOwner.TryRemove(owner, out _);
        else
            _byOwner[owner] = left;
    }

    /// <summary>Who watches is woken when all of it is noted: a mailbox and those above it that were made with it are told of together.</summary>
    public void OnCommit(IReadOnlyList<StreamChange> changes)
    {
        if (_all.IsEmpty)
            return;
        HashSet<MailboxWatch>? woken = null;
        for (var i = 0; i < changes.Count; i++)
            Note(changes[i], ref woken);
        Wake(woken);
    }

    private void Note(StreamChange change, ref HashSet<MailboxWatch>? woken)
    {
        if (ReferenceEquals(change.Kind, AccountStreamKinds.Account))
        {
            foreach (var watch in Of(change.Key.Tenant))
            {
                if (watch.Viewer == change.Key.Tenant && watch.NoteSubscriptions(change))
                    (woken ??= []).Add(watch);
            }
        }
        else if (ReferenceEquals(change.Kind, MailboxKind.Instance))
        {
            var owner = change.Key.Tenant;
            foreach (var watch in Of(owner))
            {
                if ((watch.Viewer == owner || MaySee(change, watch.Viewer)) && watch.Note(change))
                    (woken ??= []).Add(watch);
            }
            NoteRights(change, ref woken);
        }
    }

    // Who is let in, or shut out, at this very moment hears of it in NoteRights.
    private static bool MaySee(StreamChange change, string viewer) =>
        (((MailboxState)change.After).RightsOf(viewer, change.Key.Tenant) & (Rights.Lookup | Rights.Read)) != 0;

    // Whoever was let in, or shut out, need not have known the owner before.
    private void NoteRights(StreamChange change, ref HashSet<MailboxWatch>? woken)
    {
        var (before, after) = ((MailboxState)change.Before, (MailboxState)change.After);
        if (before.Acl.Equals(after.Acl))
            return;
        foreach (var watch in _all)
        {
            if (before.RightsOf(watch.Viewer, change.Key.Tenant) != after.RightsOf(watch.Viewer, change.Key.Tenant)
                && watch.Note(change.Key.Id, MailboxNews.Name))
                (woken ??= []).Add(watch);
        }
    }

    private static void Wake(HashSet<MailboxWatch>? woken)
    {
        foreach (var watch in woken ?? [])
            watch.Wake();
    }

    private ImmutableArray<MailboxWatch> Of(string owner) => _byOwner.GetValueOrDefault(owner, []);

    /// <summary>What other nodes committed to mailboxes that this one may not hold, so that nobody here knows what it was.</summary>
    public void OnMoved(IReadOnlyList<StreamMoved> moved)
    {
        if (_all.IsEmpty)
            return;
        HashSet<MailboxWatch>? woken = null;
        foreach (var stream in moved)
        {
            if (stream.Kind != MailboxKind.Instance.Name)
                continue;
            foreach (var watch in stream.Wide ? _all : Of(stream.Key.Tenant))
            {
                if (watch.Note(stream.Key.Id, MailboxNews.Name | MailboxNews.Unknown))
                    (woken ??= []).Add(watch);
            }
        }
        Wake(woken);
    }
}
