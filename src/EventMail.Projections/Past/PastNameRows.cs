using EventMail.EventStore;
using Npgsql;
using NpgsqlTypes;
using static EventMail.EventStore.RowsStatement;

namespace EventMail.Projections.Past;

/// <summary>
/// projections.past_name: a row for each name that a mailbox bore, from a version of its stream and a time on; without a name from
/// where it is deleted. What it keeps for life (RFC 9051 §2.3.1.1, RFC 6154) is in its first row.
/// </summary>
internal static class PastNameRows
{
    public const string Table = "past_name";

    public const string Create = $"""
        create table if not exists {Table} (
          tenant_id varchar not null,
          mailbox_id uuid not null,
          version bigint not null,
          at timestamptz not null,
          name text null,
          uid_validity bigint null,
          special_use text null,
          primary key (tenant_id, mailbox_id, version)
        );
        """;

    private static readonly RowsStatement Insert = new(
        $"""
        insert into {Table} (tenant_id, mailbox_id, version, at, name, uid_validity, special_use)
        select * from {RowsStatement.Rows}
        on conflict do nothing
        """,
        ("tenant_id", "varchar"), ("mailbox_id", "uuid"), ("version", "bigint"), ("at", "timestamptz"), ("name", "text"),
        ("uid_validity", "bigint"), ("special_use", "text"));

    /// <summary>
    /// The last version of a stream at an instant or a position, by halving along the index of streams and versions: a stream's times and
    /// positions never run backwards. An event that is missing there does not end the search, the next one stands for it.
    /// </summary>
    /// <param name="tenant">SQL for the stream's tenant; so are the others.</param>
    /// <param name="column">The one of mt_events that is compared.</param>
    private static string VersionAt(string tenant, string stream, string column, string last) => $"""
        with recursive half (low, high) as (
          select 0::bigint, s.version from public.mt_streams s where s.tenant_id = {tenant} and s.id = {stream}
          union all
          select case when e.{column} <= {last} then e.version else half.low end,
                 case when e.{column} <= {last} then half.high else (half.low + half.high + 1) / 2 - 1 end
          from half left join lateral (
            select e.version, e.{column} from public.mt_events e
            where e.tenant_id = {tenant} and e.stream_id = {stream} and e.version between (half.low + half.high + 1) / 2 and half.high
            order by e.version limit 1) e on true
          where half.low < half.high)
        select low from half where low >= high
        """;

    private static readonly string Version = VersionAt("$1", "$2", "timestamp", "$3");

    private static readonly string VersionOfPosition = VersionAt("$1", "$2", "seq_id", "$3");

    private static readonly string At = $"""
        select n.mailbox_id, n.name, n.uid_validity, n.special_use, v.low
        from (
          select distinct on (mailbox_id) mailbox_id, name,
            first_value(uid_validity) over mailbox as uid_validity, first_value(special_use) over mailbox as special_use
          from {Table} where tenant_id = $1 and at <= $2
          window mailbox as (partition by mailbox_id order by version)
          order by mailbox_id, version desc) n
        cross join lateral ({VersionAt("$1", "n.mailbox_id", "timestamp", "$2")}) v
        where n.name is not null
        """;

    private const string First = $"select min(at) from {Table} where tenant_id = $1";

    public static NpgsqlBatchCommand Write(IReadOnlyList<PastName> rows) => Insert.For(
        rows.Count, Column(rows, r => r.Mailbox.Tenant), Column(rows, r => r.Mailbox.Id), Column(rows, r => r.Version), Column(rows, r => r.At.UtcDateTime),
        Column(rows, r => r.Name), Column(rows, r => r.UidValidity, NpgsqlDbType.Bigint), Column(rows, r => r.SpecialUse));

    /// <summary>The version of a stream at an instant; 0: nothing had happened.</summary>
    public static Task<long> VersionAsync(NpgsqlDataSource source, StreamKey stream, DateTimeOffset instant, CancellationToken cancel) =>
        VersionAsync(source, Version, stream, instant.UtcDateTime, cancel);

    /// <summary>The version of a stream at a position of the log; 0: nothing had happened.</summary>
    public static Task<long> VersionAsync(NpgsqlDataSource source, StreamKey stream, long sequence, CancellationToken cancel) =>
        VersionAsync(source, VersionOfPosition, stream, sequence, cancel);

    private static async Task<long> VersionAsync(NpgsqlDataSource source, string sql, StreamKey stream, object last, CancellationToken cancel)
    {
        await using var command = source.CreateCommand(sql);
        command.Parameters.Add(new() { Value = stream.Tenant });
        command.Parameters.Add(new() { Value = stream.Id });
        command.Parameters.Add(new() { Value = last });
        return await command.ExecuteScalarAsync(cancel) as long? ?? 0;
    }

    /// <summary>An account's mailboxes at an instant, in no order.</summary>
    public static async Task<List<PastMailbox>> AtAsync(NpgsqlDataSource source, string account, DateTimeOffset instant, CancellationToken cancel)
    {
        await using var command = source.CreateCommand(At);
        command.Parameters.Add(new() { Value = account });
        command.Parameters.Add(new() { Value = instant.UtcDateTime });
        var mailboxes = new List<PastMailbox>();
        await using var row = await command.ExecuteReaderAsync(cancel);
        while (await row.ReadAsync(cancel))
        {
            mailboxes.Add(new(
                new(account, row.GetGuid(0)), row.GetString(1), row.GetInt64(4), (uint)row.GetInt64(2),
                row.IsDBNull(3) ? null : row.GetString(3), HasChildren: false));
        }
        return mailboxes;
    }

    /// <summary>When the account's first mailbox was made; null for one that never had any.</summary>
    public static async Task<DateTimeOffset?> FirstAsync(NpgsqlDataSource source, string account, CancellationToken cancel)
    {
        await using var command = source.CreateCommand(First);
        command.Parameters.Add(new() { Value = account });
        return await command.ExecuteScalarAsync(cancel) is DateTime first ? new(first) : null;
    }
}

/// <param name="Name">Null: it is deleted.</param>
/// <param name="UidValidity">With the first name only, as is <paramref name="SpecialUse"/>.</param>
internal sealed record PastName(StreamKey Mailbox, long Version, DateTimeOffset At, string? Name, long? UidValidity, string? SpecialUse);
