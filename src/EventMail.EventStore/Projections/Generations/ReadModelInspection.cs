using Npgsql;

namespace EventMail.EventStore;

/// <summary>How the read models stand, as the database says: it needs no server, and disturbs none.</summary>
public sealed class ReadModelInspection(NpgsqlDataSource source)
{
    private const string End = "select case when is_called then last_value else 0 end from public.mt_events_sequence";

    private const string Builds = "select name, version, generation, began, greatest(position, 0), started, case when updated > now() - interval '1 minute' then rate else 0 end from eventmail.read_model_build";

    private const string Sizes = $"""
        select c.relname::text, coalesce(nullif(pg_stat_get_live_tuples(c.oid), 0), greatest(c.reltuples, 0)::bigint), pg_total_relation_size(c.oid)
        from pg_class c where c.relnamespace = to_regnamespace('{ReadModelSchema.Name}') and c.relkind = 'r' and c.relname = any($1)
        """;

    private const string Positions = "select name, last_seq_id from public.mt_event_progression where name = any($1)";

    private const string FirstBehind = "select timestamp from public.mt_events where seq_id > $1 order by seq_id limit 1";

    /// <summary>Transactions that are open for so long are worth a word.</summary>
    private static readonly TimeSpan LongOpen = TimeSpan.FromSeconds(3);

    /// <summary>What keeps those that follow the log, and builds, from reading its end; null: nothing does for long.</summary>
    public async Task<OpenTransaction?> HeldUpByAsync(CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel);
        return await OpenTransaction.OldestAsync(connection, LongOpen, cancel);
    }

    /// <param name="models">Those that this program knows, in the order in which they are answered.</param>
    public async Task<IReadOnlyList<ReadModelStatus>> StatusAsync(IReadOnlyList<IReadModel> models, CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel);
        var live = await ReadModelCatalog.ReadAsync(connection, cancel);
        var end = await EndAsync(connection, cancel);
        var builds = await BuildsAsync(connection, end, cancel);
        var sizes = await SizesAsync(connection, [.. models.SelectMany(m => m.Tables)], cancel);
        var positions = await PositionsAsync(
            connection, [.. live.Values.Select(m => ReadModelCatalog.ProgressionOf(m.Name, m.Generation))], cancel);
        var checks = await ReadModelChecks.ReadAsync(connection, cancel);
        var answer = new List<ReadModelStatus>(models.Count);
        foreach (var model in models)
        {
            var found = live.GetValueOrDefault(model.Name);
            var inline = model is IInlineProjection;
            var position = inline ? end : found is null ? 0 : positions.GetValueOrDefault(ReadModelCatalog.ProgressionOf(model.Name, found.Generation));
            var (rows, bytes) = model.Tables.Select(t => sizes.GetValueOrDefault(t)).Aggregate((0L, 0L), (a, b) => (a.Item1 + b.Rows, a.Item2 + b.Bytes));
            answer.Add(new(
                model.Name, model.Version, found?.Version, found?.Generation, found?.Built, inline, model.Source, position, end - position,
                position < end ? await AgeBehindAsync(connection, position, cancel) : 0, rows, bytes, builds.GetValueOrDefault(model.Name), found?.Previous,
                checks.GetValueOrDefault(model.Name)));
        }
        return answer;
    }

    private static async Task<long> EndAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(End, connection);
        return (long)(await command.ExecuteScalarAsync(cancel))!;
    }

    private static async Task<Dictionary<string, ReadModelBuild>> BuildsAsync(NpgsqlConnection connection, long end, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(Builds, connection);
        var builds = new Dictionary<string, ReadModelBuild>(StringComparer.Ordinal);
        await using var row = await command.ExecuteReaderAsync(cancel);
        while (await row.ReadAsync(cancel))
            builds[row.GetString(0)] = new(
                row.GetInt32(1), row.GetInt32(2), row.GetInt64(3), row.GetInt64(4), end, row.GetFieldValue<DateTimeOffset>(5), row.GetDouble(6));
        return builds;
    }

    private static async Task<Dictionary<string, (long Rows, long Bytes)>> SizesAsync(NpgsqlConnection connection, string[] tables, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(Sizes, connection) { Parameters = { new() { Value = tables } } };
        var sizes = new Dictionary<string, (long, long)>(StringComparer.Ordinal);
        await using var row = await command.ExecuteReaderAsync(cancel);
        while (await row.ReadAsync(cancel))
            sizes[row.GetString(0)] = (row.GetInt64(1), row.GetInt64(2));
        return sizes;
    }

    private static async Task<Dictionary<string, long>> PositionsAsync(NpgsqlConnection connection, string[] names, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(Positions, connection) { Parameters = { new() { Value = names } } };
        var positions = new Dictionary<string, long>(StringComparer.Ordinal);
        await using var row = await command.ExecuteReaderAsync(cancel);
        while (await row.ReadAsync(cancel))
            positions[row.GetString(0)] = row.IsDBNull(1) ? 0 : row.GetInt64(1);
        return positions;
    }

    private static async Task<double> AgeBehindAsync(NpgsqlConnection connection, long position, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(FirstBehind, connection) { Parameters = { new() { Value = position } } };
        return await command.ExecuteScalarAsync(cancel) is DateTime at ? Math.Max(0, (DateTime.UtcNow - at).TotalSeconds) : 0;
    }
}
