using System.Collections.Concurrent;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using Npgsql;

namespace EventMail.Projections.Mailboxes;

/// <summary>
/// The accounts' trees in memory: loaded on demand, moved by this node's commits. While other nodes use the database, and for what
/// was loaded before they came, each question is answered from the table. Thread-safe.
/// </summary>
internal sealed class MailboxTrees(NpgsqlDataSource source, CommandExecutor executor)
{
    /// <summary>Accounts whose trees are kept.</summary>
    public const int MaxAccounts = 20_000;

    private const string Live = $"""
        select m.id, {MailboxColumns.Selected} from mailbox m where m.tenant_id = $1 and not m.deleted
        """;
    private const string Highest = "select coalesce(max(uid_validity), 0) from mailbox where tenant_id = $1";

    private sealed class Slot
    {
        public MailboxTree? Tree;
        public long Presence;
        public long Changes;
        public bool Used;
    }

    private const long NotAlone = -1;

    private readonly ConcurrentDictionary<string, Slot> _slots = new(StringComparer.Ordinal);

    /// <summary>The account's tree as of now.</summary>
    public ValueTask<MailboxTree> GetAsync(string account, CancellationToken cancel)
    {
        if (!executor.OthersPresent && _slots.TryGetValue(account, out var slot))
        {
            lock (slot)
            {
                slot.Used = true;
                if (slot.Tree is { } tree && slot.Presence == executor.Presence)
                    return new(tree);
            }
        }
        return new(ReloadAsync(account, cancel));
    }

    /// <summary>An INBOX is the same stream for as long as its account lives, so any tree that has it will do.</summary>
    public ValueTask<StreamKey?> InboxAsync(string account, CancellationToken cancel)
    {
        if (_slots.TryGetValue(account, out var slot) && slot.Tree is { } tree && tree.Find(MailboxName.Inbox) is { } inbox)
        {
            slot.Used = true;
            return new(tree.KeyOf(inbox));
        }
        return new(LoadInboxAsync(account, cancel));
    }

    private async Task<StreamKey?> LoadInboxAsync(string account, CancellationToken cancel)
    {
        var tree = await ReloadAsync(account, cancel);
        return tree.Find(MailboxName.Inbox) is { } inbox ? tree.KeyOf(inbox) : null;
    }

    /// <summary>The account's mailbox with a special use (RFC 6154), the first by name; null when it has none.</summary>
    public async ValueTask<StreamKey?> ForUseAsync(string account, string specialUse, CancellationToken cancel)
    {
        var tree = await GetAsync(account, cancel);
        return tree.Sorted.FirstOrDefault(node => node.SpecialUse == specialUse) is { } found ? tree.KeyOf(found) : null;
    }

    private long AlonePresence => executor.OthersPresent ? NotAlone : executor.Presence;

    /// <summary>From the table, whatever is in memory.</summary>
    public async Task<MailboxTree> ReloadAsync(string account, CancellationToken cancel)
    {
        while (true)
        {
            var slot = _slots.GetOrAdd(account, static _ => new());
            long changes;
            var presence = AlonePresence;
            lock (slot)
                changes = slot.Changes;
            var tree = await LoadAsync(account, cancel);
            lock (slot)
            {
                // What was committed meanwhile may be missing.
                if (slot.Changes != changes)
                    continue;
                // An account without mailboxes is most likely no account: not worth a place.
                if (tree.Count > 0)
                    (slot.Tree, slot.Presence, slot.Used) = (tree, presence == AlonePresence ? presence : NotAlone, true);
            }
            if (tree.Count == 0)
                _slots.TryRemove(new(account, slot));
            else if (_slots.Count > MaxAccounts)
                Shrink();
            return tree;
        }
    }

    private async Task<MailboxTree> LoadAsync(string account, CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel);
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new(Live) { Parameters = { new() { Value = account } } },
                new(Highest) { Parameters = { new() { Value = account } } },
            },
        };
        var nodes = new List<MailboxTree.Node>();
        await using var reader = await batch.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
            nodes.Add(new(reader.GetGuid(0), MailboxColumns.Read(reader, 1) with { View = null }));
        await reader.NextResultAsync(cancel);
        await reader.ReadAsync(cancel);
        return new(account, nodes, (uint)reader.GetInt64(0));
    }

    // Drops whoever was not asked for since the last time.
    private void Shrink()
    {
        foreach (var (account, slot) in _slots)
        {
            if (slot.Used)
                slot.Used = false;
            else
                _slots.TryRemove(new(account, slot));
        }
    }

    public void OnCommit(StreamChange change)
    {
        if (!_slots.TryGetValue(change.Key.Tenant, out var slot))
            return;
        var after = (MailboxState)change.After;
        lock (slot)
        {
            if (ChangesTree(change))
            {
                slot.Changes++;
                slot.Tree = slot.Tree?.With(change.Key.Id, after);
            }
            else
            {
                slot.Tree?.Forget(change.Key.Id, after.Name);
            }
        }
    }

    private static bool ChangesTree(StreamChange change)
    {
        for (var i = 0; i < change.Events.Count; i++)
        {
            if (change.Events[i].Data is MailboxCreated or MailboxRenamed or MailboxDeleted or MailboxRestored)
                return true;
        }
        return false;
    }
}
