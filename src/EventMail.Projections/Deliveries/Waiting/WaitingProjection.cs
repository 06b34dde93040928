using EventMail.Domain.Deliveries;
using EventMail.EventStore;
using Npgsql;
using static EventMail.EventStore.RowsStatement;

namespace EventMail.Projections.Deliveries;

/// <summary>
/// Keeps what each account has waiting in the transaction of what changes it, and holds submissions to their limit: one statement a
/// batch. An account that ever submitted has a row.
/// </summary>
public sealed class WaitingProjection : IInlineProjection
{
    /// <summary>How an account's row moves, and what it may be afterwards.</summary>
    private readonly record struct Move(string Account, WaitingTotals By, WaitingLimits? Limits);

    // Half-full pages: a row is updated in place (HOT).
    private const string Table = """
        create table if not exists delivery_waiting (
          tenant_id varchar primary key,
          octets bigint not null,
          messages bigint not null
        ) with (fillfactor = 50);
        """;

    private const string Upsert = $"""
        insert into delivery_waiting as q (tenant_id, octets, messages)
        select w.tenant_id, w.octets, w.messages from {RowsStatement.Rows}
        on conflict (tenant_id) do update set octets = q.octets + excluded.octets, messages = q.messages + excluded.messages
        """;

    private static readonly (string, string)[] Columns = [("tenant_id", "varchar"), ("octets", "bigint"), ("messages", "bigint")];

    private static readonly RowsStatement Plain = new(Upsert, Columns);

    // The row is locked from its update on: what is compared stays until the commit.
    private static readonly RowsStatement OnTerms = new(
        $"""
        with moved as ({Upsert} returning q.tenant_id, q.octets, q.messages)
        select eventmail.require_rows($6, (
          select count(*) from {RowsStatement.Rows} join moved m on m.tenant_id = w.tenant_id
          where m.octets <= w.most_octets and m.messages <= w.most_messages), '{CommitTerm.Conflict}')
        """,
        [.. Columns, ("most_octets", "bigint"), ("most_messages", "bigint")]);

    public string Name => "delivery_waiting";

    public IReadOnlyList<string> Tables => ["delivery_waiting"];

    public Task CreateAsync(NpgsqlConnection connection, CancellationToken cancel) => SqlScript.ExecuteAsync(connection, Table, cancel);

    public bool Reads(object @event) => false;

    public void Fold(CommitBatch batch, NpgsqlBatch sql)
    {
        SortedDictionary<string, Move>? moves = null;
        foreach (var change in batch.Changes)
        {
            if (change is not { Before: DeliveryState before, After: DeliveryState after })
                continue;
            var by = WaitingTotals.Of(after) - WaitingTotals.Of(before);
            if (by != default || !before.Exists)
                Add(change.Key.Tenant, by, null);
        }
        foreach (var term in batch.Terms)
        {
            if (term is WaitingTerm waiting)
                Add(waiting.Account, default, waiting.Limits);
        }
        if (moves is not null)
            sql.BatchCommands.Add(Write([.. moves.Values]));

        void Add(string account, WaitingTotals by, WaitingLimits? limits)
        {
            moves ??= new(StringComparer.Ordinal);
            var move = moves.GetValueOrDefault(account);
            moves[account] = new(account, move.By + by, limits ?? move.Limits);
        }
    }

    // One an account, in the order in which every node locks them.
    private static NpgsqlBatchCommand Write(IReadOnlyList<Move> moves)
    {
        NpgsqlParameter[] columns = [Column(moves, m => m.Account), Column(moves, m => m.By.Octets), Column(moves, m => m.By.Messages)];
        return moves.All(move => move.Limits is null)
            ? Plain.For(moves.Count, columns)
            : OnTerms.For(
                moves.Count,
                [
                    .. columns, Column(moves, m => Most(m.Limits?.Octets)), Column(moves, m => Most(m.Limits?.Messages)), Value((long)moves.Count),
                ]);
    }

    private static long Most(long? limit) => limit is > 0 and var most ? most : long.MaxValue;
}
