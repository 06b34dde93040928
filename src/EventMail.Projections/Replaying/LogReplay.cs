using System.Numerics;
using EventMail.Domain.Accounts;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;

namespace EventMail.Projections.Replaying;

/// <summary>
/// Mailboxes folded from the log's first event on, in memory, without a look at any read model: what these say can be held against it.
/// Not thread-safe.
/// </summary>
/// <param name="messages">With the messages, at about 50 bytes each; else with their counts alone.</param>
public sealed class LogReplay(bool messages)
{
    private readonly Dictionary<StreamKey, MailboxState> _states = [];
    private readonly Dictionary<string, string> _addresses = new(StringComparer.Ordinal);

    // By content: a copy has its original's.
    private readonly Dictionary<long, string> _messageIds = [];

    /// <summary>How many events were folded: those of mailboxes.</summary>
    public long Events { get; private set; }

    public void Fold(StoredEvent e)
    {
        if (e.Data is AccountOpened opened)
            _addresses[e.Stream.Tenant] = opened.Address;
        if (!MailboxState.IsEvent(e.Data))
            return;
        if (messages)
            Note(e.Data);
        var state = _states.TryGetValue(e.Stream, out var known) ? known : messages ? MailboxState.Empty : MailboxState.Empty with { View = null };
        _states[e.Stream] = state.Evolve(e.Data, e.Version, e.Timestamp);
        Events++;
    }

    private void Note(object @event)
    {
        var (content, id) = @event switch
        {
            MessageReceived received => (received.Content.Number, received.MessageId),
            MessageAppended appended => (appended.Content.Number, appended.MessageId),
            _ => (0, null),
        };
        if (id is not null)
            _messageIds[content] = id;
    }

    /// <summary>As of what was folded until now; what is folded next leaves it as it is.</summary>
    public IReadOnlyDictionary<StreamKey, MailboxState> States() => new Dictionary<StreamKey, MailboxState>(_states);

    /// <summary>An account's address; its id where the log does not say one.</summary>
    public string AddressOf(string account) => _addresses.GetValueOrDefault(account, account);

    /// <summary>Those that there are, by address and in LIST's order.</summary>
    public IReadOnlyList<ReplayedMailbox> Mailboxes() =>
    [
        .. _states.Where(pair => pair.Value.Exists)
            .OrderBy(pair => AddressOf(pair.Key.Tenant), StringComparer.Ordinal).ThenBy(pair => pair.Value.Name, MailboxName.Order)
            .Select(pair => new ReplayedMailbox(AddressOf(pair.Key.Tenant), pair.Key, pair.Value)),
    ];

    /// <summary>A mailbox's messages.</summary>
    public IEnumerable<ReplayedMessage> MessagesOf(MailboxState state)
    {
        for (var i = 0; i < state.View!.Count; i++)
        {
            var row = state.View[i];
            yield return new(row, NamesOf(state.Flags, row.Flags), _messageIds.GetValueOrDefault(row.Content));
        }
    }

    private static List<string> NamesOf(FlagTable table, ulong flags)
    {
        var names = new List<string>();
        for (; flags != 0; flags &= flags - 1)
            names.Add(table.NameOf(BitOperations.TrailingZeroCount(flags)));
        return names;
    }
}

public sealed record ReplayedMailbox(string Address, StreamKey Key, MailboxState State);

/// <param name="MessageId">Null: it has none, or the event that brought it was another account's.</param>
public sealed record ReplayedMessage(MessageRow Row, IReadOnlyList<string> Flags, string? MessageId);
