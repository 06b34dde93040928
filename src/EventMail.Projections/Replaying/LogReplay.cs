using EventMail.Domain.Accounts;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;

namespace EventMail.Projections.Replaying;

/// <summary>
/// The headers of all mailboxes, folded in one go through the log from its first event on, without a look at any read model: what these say can
/// be held against it. Not thread-safe.
/// </summary>
public sealed class LogReplay
{
    private static readonly MailboxState Empty = MailboxState.Empty with { View = null };

    private readonly Dictionary<StreamKey, MailboxState> _states = [];
    private readonly Dictionary<StreamKey, DamagedStreamException> _damaged = [];
    private readonly Dictionary<string, string> _addresses = new(StringComparer.Ordinal);

    /// <summary>The first row of each mailbox that cannot be read: what became of it since nobody can say, and it is left out.</summary>
    public IEnumerable<DamagedStreamException> Damaged => _damaged.Where(pair => _states.ContainsKey(pair.Key)).Select(pair => pair.Value);

    public void Fold(StoredEvent e)
    {
        if (e.Data is AccountOpened opened)
            _addresses[e.Stream.Tenant] = opened.Address;
        if (e.Data is UnreadableEvent)
            _damaged.TryAdd(e.Stream, new UnreadableEventException("mailbox", e));
        if (!MailboxState.IsEvent(e.Data))
            return;
        var state = _states.GetValueOrDefault(e.Stream, Empty);
        _states[e.Stream] = _damaged.ContainsKey(e.Stream) ? state : state.Evolve(e.Data, e.Version, e.Timestamp);
    }

    /// <summary>As of what was folded until now; what is folded next leaves it as it is.</summary>
    public IReadOnlyDictionary<StreamKey, MailboxState> States() => new Dictionary<StreamKey, MailboxState>(_states);

    /// <summary>Those that there are, by address and in LIST's order.</summary>
    public IReadOnlyList<ReplayedMailbox> Mailboxes() => ReplayedMailbox.Sorted(
        _states.Where(pair => pair.Value.Exists && !_damaged.ContainsKey(pair.Key)).Select(pair => new ReplayedMailbox(AddressOf(pair.Key.Tenant), pair.Key, pair.Value)));

    // Its id where the log does not say one.
    private string AddressOf(string account) => _addresses.GetValueOrDefault(account, account);
}
