using System.Net;
using System.Runtime.CompilerServices;
using EventMail.EventStore;
using Npgsql;
using NpgsqlTypes;

namespace EventMail.Projections.History.Index;

/// <summary>Asks the index for positions of the log, a page at a time and in log order. Thread-safe.</summary>
internal sealed class HistoryIndex(NpgsqlDataSource source)
{
    public const int PageSize = 1000;

    // Clients of a prefix that are looked for: of more, the log is read block by block.
    private const int MaxClients = 1000;

    // Of the live generation, under Marten's name for it.
    private const string Position = $"""
        select case when to_regclass('{HistoryTables.Events}') is null then 0 else coalesce((
          select p.last_seq_id from eventmail.read_model m
          join public.mt_event_progression p on p.name = m.name || case when m.generation = 1 then '' else ':V' || m.generation end || ':All'
          where m.name = $1 and m.version = $2), 0) end
        """;

    // Of the one before it, where rows of this version are.
    private const string BeforePosition = $"""
        select case when to_regclass('{ReadModelSchema.Previous}.{HistoryTables.Events}') is null then 0 else coalesce((
          select p.last_seq_id from eventmail.read_model m
          join public.mt_event_progression p on p.name = m.name || case when m.previous_generation = 1 then '' else ':V' || m.previous_generation end || ':All'
          where m.name = $1 and m.previous_version = $2), 0) end
        """;

    private HistoryKey? _key;

    public async ValueTask<HistoryKey> KeyAsync(CancellationToken cancel)
    {
        if (_key is not null)
            return _key;
        await using var connection = await source.OpenConnectionAsync(cancel).ConfigureAwait(false);
        return _key = await HistoryKey.ReadAsync(connection, cancel).ConfigureAwait(false);
    }

    /// <summary>Up to where it stands: 0 where there is none yet. What is behind it is in the log alone.</summary>
    public Task<long> PositionAsync(CancellationToken cancel) => PositionAsync(Position, cancel);

    /// <summary>Up to where the generation before the live one stands: 0 where there is none, or another version's.</summary>
    public Task<long> PreviousPositionAsync(CancellationToken cancel) => PositionAsync(BeforePosition, cancel);

    private async Task<long> PositionAsync(string sql, CancellationToken cancel)
    {
        await using var command = source.CreateCommand(sql);
        command.Parameters.Add(new() { Value = HistoryIndexProjection.ProjectionName });
        command.Parameters.Add(new() { Value = HistoryIndexProjection.CurrentVersion });
        return (long)(await command.ExecuteScalarAsync(cancel).ConfigureAwait(false))!;
    }

    /// <summary>The positions between which a time is spoken of: above the one, up to the other. Of what the index has.</summary>
    public async Task<(long After, long UpTo)> BetweenAsync(DateTimeOffset? since, DateTimeOffset? until, CancellationToken cancel)
    {
        const string sql = $"""
            select (select min(block) from {HistoryTables.Blocks} where until >= $1), (select max(block) from {HistoryTables.Blocks} where since < $2)
            """;
        await using var command = source.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = since?.UtcDateTime ?? DateTime.MinValue.ToUniversalTime() });
        command.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = until?.UtcDateTime ?? DateTime.MaxValue.ToUniversalTime() });
        await using var row = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
        await row.ReadAsync(cancel).ConfigureAwait(false);
        return row.IsDBNull(0) || row.IsDBNull(1)
            ? (long.MaxValue, 0)
            : (HistoryBlock.First(row.GetInt64(0)) - 1, HistoryBlock.First(row.GetInt64(1) + 1) - 1);
    }

    /// <summary>The next positions at which one of these terms is spoken of.</summary>
    /// <param name="columns">Where the terms are looked for.</param>
    /// <param name="types">Only in blocks that have events of these; null for all.</param>
    public async Task<long[]> PageAsync(
        string[] columns, long[] terms, IEnumerable<string>? types, long after, long upTo, CancellationToken cancel)
    {
        var inBlocks = types is null ? ""
            : $"and h.seq >> {HistoryBlock.Bits} in (select block from {HistoryTables.Blocks} where block >= $2 >> {HistoryBlock.Bits} and types && $5)";
        // Each term's own next ones, in the order of its index and each once: of these the next of all, without a hole.
        var each = columns.Select(column => $"""
            select h.seq from unnest($1::bigint[]) t cross join lateral (
              select distinct h.seq from {HistoryTables.Events} h where h.{column} = t and h.seq > $2 and h.seq <= $3 {inBlocks} order by h.seq limit $4) h
            """);
        await using var command = source.CreateCommand($"select distinct seq from ({string.Join(" union all ", each)}) found order by seq limit $4");
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = terms });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = after });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = upTo });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = PageSize });
        if (types is not null)
            command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. types] });
        return await LongsAsync(command, cancel).ConfigureAwait(false);
    }

    /// <summary>The next blocks that have events of these types and this protocol; null does not restrict.</summary>
    public async Task<long[]> BlocksAsync(IEnumerable<string>? types, string? protocol, long after, long upTo, CancellationToken cancel)
    {
        const string sql = $"""
            select block from {HistoryTables.Blocks}
            where block between $1 and $2 and ($3::text[] is null or types && $3) and ($4::text is null or $4 = any(protocols))
            order by block limit $5
            """;
        await using var command = source.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = HistoryBlock.Of(after + 1) });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = HistoryBlock.Of(upTo) });
        command.Parameters.Add(new() { Value = (object?)types?.ToArray() ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text });
        command.Parameters.Add(new() { Value = (object?)protocol?.ToLowerInvariant() ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = PageSize });
        return await LongsAsync(command, cancel).ConfigureAwait(false);
    }

    /// <summary>The terms of the clients within a prefix; null when they are too many.</summary>
    public async Task<long[]?> ClientsAsync(IPNetwork network, CancellationToken cancel)
    {
        await using var command = source.CreateCommand($"select distinct term from {HistoryTables.Clients} where client <<= $1 limit $2");
        command.Parameters.Add(new() { Value = network, NpgsqlDbType = NpgsqlDbType.Cidr });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = MaxClients + 1 });
        var terms = await LongsAsync(command, cancel).ConfigureAwait(false);
        return terms.Length > MaxClients ? null : terms;
    }

    /// <summary>The streams in which contents came: mailboxes and submissions. Of what the index has.</summary>
    public async Task<List<(long Content, StreamKey Stream)>> StreamsOfAsync(long[] contents, CancellationToken cancel)
    {
        const string sql = $"""
            select distinct h.content, e.tenant_id, e.stream_id from {HistoryTables.Events} h join public.mt_events e on e.seq_id = h.seq where h.content = any($1)
            """;
        await using var command = source.CreateCommand(sql);
        command.CommandTimeout = 0;
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = contents });
        var streams = new List<(long, StreamKey)>();
        await using var row = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
        while (await row.ReadAsync(cancel).ConfigureAwait(false))
            streams.Add((row.GetInt64(0), new(row.GetString(1), row.GetGuid(2))));
        return streams;
    }

    /// <summary>The numbers of the contents that an account's mailboxes had, some perhaps twice.</summary>
    public async IAsyncEnumerable<long> ContentsAsync(long account, [EnumeratorCancellation] CancellationToken cancel)
    {
        await using var command = source.CreateCommand($"select content from {HistoryTables.Events} where account = $1 and content is not null");
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = account });
        await using var row = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
        while (await row.ReadAsync(cancel).ConfigureAwait(false))
            yield return row.GetInt64(0);
    }

    private static async Task<long[]> LongsAsync(NpgsqlCommand command, CancellationToken cancel)
    {
        var numbers = new List<long>();
        await using var row = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
        while (await row.ReadAsync(cancel).ConfigureAwait(false))
            numbers.Add(row.GetInt64(0));
        return [.. numbers];
    }
}
