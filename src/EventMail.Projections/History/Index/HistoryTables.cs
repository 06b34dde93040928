using System.Net;
using EventMail.EventStore;
using Npgsql;
using NpgsqlTypes;
using static EventMail.EventStore.RowsStatement;

namespace EventMail.Projections.History.Index;

/// <summary>The tables of the index, and the statements that write them.</summary>
internal static class HistoryTables
{
    public const string Events = "history";
    public const string Blocks = "history_block";
    public const string Clients = "history_client";

    // What an event is found by, each with an index in log order.
    private static readonly string[] Columns = ["session", "client", "name", "other_name", "message", "digest", "content", "place"];

    public static string Create { get; } = $"""
        create table if not exists {Events} (
          seq bigint not null, account bigint not null, {string.Join(", ", Columns.Select(column => $"{column} bigint null"))}
        );
        -- What types and protocols are among {HistoryBlock.Size} positions, and when that was.
        create table if not exists {Blocks} (
          block bigint primary key, since timestamptz not null, until timestamptz not null, types text[] not null, protocols text[] not null
        );
        -- Where clients were, so that a prefix leads to addresses.
        create table if not exists {Clients} (account bigint not null, client inet not null, term bigint not null, primary key (client, account));
        select eventmail.ensure_index('{Events}_account', 'create index {Events}_account on {Events} (account, seq)');
        {string.Join('\n', Columns.Select(column =>
            $"select eventmail.ensure_index('{IndexOf(column)}', 'create index {IndexOf(column)} on {Events} ({column}, seq) where {column} is not null');"))}
        """;

    // Indexes and tables share their names' space.
    private static string IndexOf(string column) => $"{Events}_{column}" is var name && name is Blocks or Clients ? $"{name}_index" : name;

    /// <summary>The rows of one event.</summary>
    public const string Delete = $"delete from {Events} where account = $1 and seq = $2";

    private static readonly RowsStatement InsertRows = new(
        $"insert into {Events} (seq, account, {string.Join(", ", Columns)}) select * from {Rows}",
        [("seq", "bigint"), ("account", "bigint"), .. Columns.Select(column => (column, "bigint"))]);

    private const string MergeBlock = $"""
        insert into {Blocks} as b (block, since, until, types, protocols) values ($1, $2, $3, $4, $5)
        on conflict (block) do update set
          since = least(b.since, excluded.since), until = greatest(b.until, excluded.until),
          types = array(select distinct t collate "C" from unnest(b.types || excluded.types) t order by 1),
          protocols = array(select distinct t collate "C" from unnest(b.protocols || excluded.protocols) t order by 1)
        """;

    private static readonly RowsStatement InsertClients = new(
        $"insert into {Clients} (account, client, term) select * from {Rows} on conflict do nothing",
        ("account", "bigint"), ("client", "inet"), ("term", "bigint"));


    public static NpgsqlBatchCommand Write(IReadOnlyList<HistoryRow> rows) => InsertRows.For(
        rows.Count, Column(rows, r => r.Seq), Column(rows, r => r.Account), Term(rows, r => r.Session), Term(rows, r => r.Client), Term(rows, r => r.Name),
        Term(rows, r => r.OtherName), Term(rows, r => r.Message), Term(rows, r => r.Digest), Term(rows, r => r.Content), Term(rows, r => r.Place));

    public static NpgsqlBatchCommand Merge(HistoryBlock block) => new(MergeBlock)
    {
        Parameters = { Value(block.Number), Value(block.Since), Value(block.Until), Value(block.Types), Value(block.Protocols) },
    };

    public static NpgsqlBatchCommand Write(IReadOnlyList<(long Account, IPAddress Client, long Term)> clients) => InsertClients.For(
        clients.Count, Column(clients, c => c.Account), Column(clients, c => c.Client, NpgsqlDbType.Inet), Column(clients, c => c.Term));

    private static NpgsqlParameter Term(IReadOnlyList<HistoryRow> rows, Func<HistoryRow, long?> column) =>
        rows.Count == 1 && column(rows[0]) is null
            ? new() { Value = DBNull.Value, NpgsqlDbType = NpgsqlDbType.Bigint }
            : Column(rows, column, NpgsqlDbType.Bigint);
}
