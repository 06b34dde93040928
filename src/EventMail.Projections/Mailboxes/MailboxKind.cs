using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using Npgsql;

namespace EventMail.Projections.Mailboxes;

/// <summary>Streams of mailboxes. A state is loaded as its header row, without the messages; <see cref="MailboxViews"/> brings those.</summary>
public sealed class MailboxKind : StreamKind
{
    public static readonly MailboxKind Instance = new();

    // A unit of weight is about a KiB; a message takes 44 bytes in its columns.
    private const int MessagesPerWeight = 23;

    private MailboxKind() { }

    public override string Name => "mailbox";

    public override object Empty(StreamKey key) => MailboxState.Empty;

    public override object EmptyHeader(StreamKey key) => MailboxState.Empty with { View = null };

    public override string HeaderTable => "mailbox";

    public override async Task<IReadOnlyDictionary<StreamKey, LoadedState>> LoadHeadersAsync(
        NpgsqlConnection connection, IReadOnlyList<StreamKey> keys, CancellationToken cancel) =>
        (await MailboxRows.LoadAsync(connection, keys, cancel)).Where(row => row.State.Version > 0)
            .ToDictionary(row => row.Key, row => new LoadedState(row.State with { View = null }, row.State.Version));

    public override object Evolve(object state, StoredEvent e) => ((MailboxState)state).Evolve(e.Data, e.Version, e.Timestamp);

    // Somebody may be let into a mailbox whose owner shared nothing with them before.
    public override bool IsWide(object @event) => @event is MailboxAclChanged;

    public override int Weight(object state) => 1 + (((MailboxState)state).View?.Count ?? 0) / MessagesPerWeight;

    public override async Task<IReadOnlyDictionary<StreamKey, LoadedState>> LoadAsync(
        NpgsqlConnection connection, EventReader reader, IReadOnlyList<StreamKey> keys, CancellationToken cancel)
    {
        var states = new Dictionary<StreamKey, LoadedState>(keys.Count);
        List<StreamKey>? behind = null;
        foreach (var (key, state, streamVersion) in await MailboxRows.LoadAsync(connection, keys, cancel))
        {
            states[key] = new(state, state.Version);
            if (state.Version < streamVersion)
                (behind ??= []).Add(key);
        }
        // Another application appended, or the rows are being built: the log decides.
        foreach (var key in behind ?? [])
            states[key] = await reader.FoldTailAsync(this, connection, key, states[key], null, cancel);
        return states;
    }

    /// <summary>A mailbox's stream for a command.</summary>
    public static StreamRef Stream(StreamKey key) => new(Instance, key);
}
