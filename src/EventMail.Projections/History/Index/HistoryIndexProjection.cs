using System.Net;
using EventMail.EventStore;
using Npgsql;

namespace EventMail.Projections.History.Index;

/// <summary>
/// projections.history: where in the log a session, an address, a client, a message is spoken of, as keyed hashes. It follows the log at
/// its leisure: who asks reads what it does not have yet from the log itself.
/// </summary>
public sealed class HistoryIndexProjection : IAsyncProjection
{
    public const string ProjectionName = "History";

    /// <summary>Of what the rows mean: raise it when <see cref="EventTerms"/> or the tables change.</summary>
    public const int CurrentVersion = 1;

    // Clients whose rows are known to be there.
    private const int RememberedClients = 10_000;

    private readonly BoundedCache<(long, IPAddress), bool> _clients = new(RememberedClients);
    private HistoryKey? _key;

    // What is remembered is of this connection's tables, and of the time since somebody was erased from them.
    private NpgsqlConnection? _remembered;
    private SubjectKeys? _subjects;
    private int _erasures;

    // The last page's.
    private IReadOnlyList<(long Account, IPAddress Client, long Term)> _written = [];
    private long _writtenUpTo;

    public string Name => ProjectionName;

    public int Version => CurrentVersion;

    public IReadOnlyList<string> Tables => [HistoryTables.Events, HistoryTables.Blocks, HistoryTables.Clients];

    public async Task CreateAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        await SqlScript.ExecuteAsync(connection, HistoryTables.Create, cancel).ConfigureAwait(false);
        await HistoryKey.CreateAsync(connection, cancel).ConfigureAwait(false);
    }

    public void Join(EventLog log) => _subjects = log.Subjects;

    // Nobody waits for it: many commits make one page at the next poll.
    public bool IsNews(StoredEvent e) => false;

    public async Task ApplyAsync(NpgsqlTransaction transaction, IReadOnlyList<StoredEvent> events, CancellationToken cancel)
    {
        var key = _key ??= await HistoryKey.ReadAsync(transaction.Connection!, cancel).ConfigureAwait(false);
        ForgetOthers(transaction.Connection!);
        // A page that comes behind the last one says that it was committed; one that was rolled back comes again.
        if (events[0].Sequence > _writtenUpTo)
        {
            foreach (var (account, client, _) in _written)
                _clients.Set((account, client), true);
        }
        var rows = new List<HistoryRow>(events.Count);
        var clients = new List<(long Account, IPAddress Client, long Term)>();
        foreach (var e in events)
        {
            var from = rows.Count;
            HistoryRow.Add(e, key, rows);
            if (rows[from].Client is { } term && EventTerms.Client(e) is { } client && !_clients.TryGet((rows[from].Account, client), out _))
                clients.Add((rows[from].Account, client, term));
        }
        await using var batch = new NpgsqlBatch(transaction.Connection, transaction);
        batch.BatchCommands.Add(HistoryTables.Write(rows));
        foreach (var block in HistoryBlock.Of(events))
            batch.BatchCommands.Add(HistoryTables.Merge(block));
        clients = [.. clients.Distinct()];
        if (clients.Count > 0)
            batch.BatchCommands.Add(HistoryTables.Write(clients));
        await batch.ExecuteNonQueryAsync(cancel).ConfigureAwait(false);
        (_written, _writtenUpTo) = (clients, events[^1].Sequence);
    }

    private void ForgetOthers(NpgsqlConnection connection)
    {
        var erasures = _subjects?.Erasures ?? 0;
        if (ReferenceEquals(_remembered, connection) && erasures == _erasures)
            return;
        _clients.Clear();
        EventOrigin.Forget();
        (_remembered, _erasures, _written) = (connection, erasures, []);
    }

    // The index has it already, as what was known of it then.
    public async Task TakeUpAsync(NpgsqlTransaction transaction, IReadOnlyList<StoredEvent> row, CancellationToken cancel)
    {
        var key = _key ??= await HistoryKey.ReadAsync(transaction.Connection!, cancel).ConfigureAwait(false);
        await using (var delete = new NpgsqlCommand(HistoryTables.Delete, transaction.Connection, transaction)
        {
            Parameters = { new() { Value = key.Account(row[0].Stream.Tenant) }, new() { Value = row[0].Sequence } },
        })
            await delete.ExecuteNonQueryAsync(cancel).ConfigureAwait(false);
        // Whether the last page was committed is told by the next one, not by this row.
        var (written, writtenUpTo) = (_written, _writtenUpTo);
        await ApplyAsync(transaction, row, cancel).ConfigureAwait(false);
        (_written, _writtenUpTo) = (written, writtenUpTo);
    }
}
