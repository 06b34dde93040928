using EventMail.Domain.Mailboxes;
using EventMail.EventStore;

namespace EventMail.Projections.Mailboxes;

/// <summary>A mailbox that sessions have open on this node: one for all of them. Thread-safe.</summary>
internal sealed class LiveMailbox(StreamKey key)
{
    private readonly Lock _gate = new();
    private LiveHandle[] _handles = [];
    private volatile MailboxState? _state;
    private uint _recentFrom;

    public StreamKey Key { get; } = key;

    /// <summary>With its view; null until the first one is there.</summary>
    public MailboxState? State => _state;

    /// <summary>How many open or are opening it; guarded by <see cref="LiveMailboxes"/>.</summary>
    public int Users { get; set; }

    public IDisposable? Hold { get; set; }

    /// <summary>True while a <see cref="RecentClaimed"/> is to be written.</summary>
    public bool ClaimPending { get; set; }

    /// <summary>Takes a state with its view unless it knows a later one.</summary>
    public void Offer(MailboxState state)
    {
        lock (_gate)
        {
            if (_state is { } known && known.Version >= state.Version)
                return;
            // A mailbox that was deleted is loaded without its messages: sessions keep what they saw last.
            Set(state.View is null ? state with { View = _state?.View } : state);
        }
        Tell();
    }

    /// <summary>Moves along with a commit. False when the view has fallen behind and must be loaded.</summary>
    public bool Move(StreamChange change)
    {
        lock (_gate)
        {
            if (_state is not { } state || state.Version >= change.ToVersion)
                return true;
            var after = (MailboxState)change.After;
            if (after.View is null)
            {
                // The cache had only the header: this one folds the messages on its own.
                if (state.Version < change.FromVersion - 1)
                    return false;
                after = state;
                for (var i = 0; i < change.Events.Count; i++)
                {
                    var e = change.Events[i];
                    if (e.Version > state.Version)
                        after = after.Evolve(e.Data, e.Version, e.Timestamp);
                }
            }
            Set(after);
        }
        Tell();
        return true;
    }

    private void Set(MailboxState state)
    {
        _state = state;
        _recentFrom = Math.Max(_recentFrom, state.RecentFrom);
    }

    private void Tell()
    {
        foreach (var handle in Volatile.Read(ref _handles))
            handle.RaiseChanged();
    }

    public void Add(LiveHandle handle)
    {
        lock (_gate)
            _handles = [.. _handles, handle];
    }

    public void Remove(LiveHandle handle)
    {
        lock (_gate)
            _handles = [.. _handles.Where(h => h != handle)];
    }

    public uint FirstUnclaimed
    {
        get
        {
            lock (_gate)
                return _recentFrom;
        }
    }

    /// <summary>The first UID that was not claimed before; <paramref name="moved"/> when there is something to write.</summary>
    public uint Claim(uint upTo, out bool moved)
    {
        lock (_gate)
        {
            var first = _recentFrom;
            moved = upTo >= first;
            if (moved)
                _recentFrom = upTo + 1;
            return first;
        }
    }
}
