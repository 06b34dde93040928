using Npgsql;

namespace EventMail.EventStore;

/// <summary>A row that is not what the log says.</summary>
/// <param name="Key">The values of its primary key, as a JSON object.</param>
/// <param name="Live">The row as JSON; null: it is missing.</param>
/// <param name="Folded">What the log says it is; null: there is none.</param>
public sealed record RowDrift(string Model, string Table, string Key, string? Live, string? Folded);

/// <summary>
/// Folds the log into tables beside the live ones and compares them row by row, in pages, without a long snapshot. Rows that differ are
/// looked at once more at one position of the log, in one short transaction: what moved meanwhile is no drift.
/// </summary>
internal sealed class ReadModelVerification(GenerationSession session, GenerationOptions options, IReadOnlyList<IInlineProjection> models)
{
    public const string Schema = "projections_verify";

    /// <summary>Rows of one comparison.</summary>
    private const int PageRows = 5000;

    /// <summary>Rows that are looked at once more; when more than these differ, the first of them are told.</summary>
    public const int MostSuspects = 10_000;

    private const string Remake = $"drop schema if exists {Schema} cascade; create schema {Schema}; set client_min_messages = warning";

    /// <summary>A table with its primary key.</summary>
    private sealed record Table(string Model, string Name, (string Name, string Type)[] Key, string[] Beside)
    {
        public string Columns(string of) => string.Join(", ", Key.Select(k => $"{of}.{k.Name}"));

        public string KeyOf(string of) => $"jsonb_build_object({string.Join(", ", Key.Select(k => $"'{k.Name}', {of}.{k.Name}"))})";

        public string Row(string of) => $"(to_jsonb({of}){string.Concat(Beside.Select(column => $" - '{column}'"))})";

        public string Parameters(int from) => string.Join(", ", Key.Select((k, i) => $"${from + i}::text::{k.Type}"));

        public string Same(string a, string b) => string.Join(" and ", Key.Select(k => $"{a}.{k.Name} = {b}.{k.Name}"));
    }

    public async Task<IReadOnlyList<RowDrift>> RunAsync(IReadOnlyList<IReadModel> verified, Func<BuildProgress, Task> report, CancellationToken cancel)
    {
        await session.ExecuteAsync(Remake, cancel);
        foreach (var model in models)
            await model.CreateAsync(session.Writer, cancel);
        var fold = new GenerationFold(session, options, models, 0, _ => new("select 1"));
        var rate = new BuildRate();
        var (safe, last) = await session.EndAsync(cancel);
        await fold.AdvanceAsync(safe, async () =>
        {
            rate.Note(fold.Position);
            await report(new(BuildPhase.Folding, [.. verified.Select(m => m.Name)], new(0, 0, 0, fold.Position, last, default, rate.PerSecond)));
            if (options.MostEventsPerSecond > 0)
                await Task.Delay(TimeSpan.FromSeconds((double)options.PageSize / options.MostEventsPerSecond), cancel);
        }, cancel);

        var drifts = new List<RowDrift>();
        foreach (var model in verified)
        {
            foreach (var name in model.Tables)
            {
                var table = await DescribeAsync(model, name, cancel);
                var suspects = await CompareAsync(table, cancel);
                if (suspects.Count > 0)
                    drifts.AddRange(await ConfirmAsync(table, suspects, fold, report, cancel));
            }
        }
        await session.ExecuteAsync($"drop schema {Schema} cascade", cancel);
        return drifts;
    }

    private async Task<Table> DescribeAsync(IReadModel model, string name, CancellationToken cancel)
    {
        const string sql = $"""
            select a.attname::text, format_type(a.atttypid, null)
            from pg_index i cross join lateral unnest(i.indkey) with ordinality as k (attnum, n)
            join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
            where i.indisprimary and i.indrelid = to_regclass($1) order by k.n
            """;
        await using var command = new NpgsqlCommand(sql, session.Reader) { Parameters = { new() { Value = $"{Schema}.{name}" } } };
        var key = new List<(string, string)>();
        await using var row = await command.ExecuteReaderAsync(cancel);
        while (await row.ReadAsync(cancel))
            key.Add((row.GetString(0), row.GetString(1)));
        return key.Count > 0 ? new(model.Name, name, [.. key], [.. model.BesideTheLog]) : throw new InvalidOperationException($"{name} has no primary key");
    }

    // Page by page along the key; the last page goes to the end of either table.
    private async Task<List<string>> CompareAsync(Table table, CancellationToken cancel)
    {
        var suspects = new List<string>();
        string[]? after = null;
        while (suspects.Count < MostSuspects)
        {
            var upTo = await BoundAsync(table, after, cancel);
            var n = after is null ? 1 : 1 + table.Key.Length;
            var bounds = (after is null ? "true" : $"({table.Columns("t")}) > ({table.Parameters(1)})")
                + (upTo is null ? "" : $" and ({table.Columns("t")}) <= ({table.Parameters(n)})");
            await using var command = new NpgsqlCommand($"""
                select coalesce(l.k, w.k)::text from
                  (select {table.KeyOf("t")} as k, {table.Row("t")} as r from {ReadModelSchema.Name}.{table.Name} t where {bounds}) l
                full join (select {table.KeyOf("t")} as k, {table.Row("t")} as r from {Schema}.{table.Name} t where {bounds}) w on l.k = w.k
                where l.r is distinct from w.r limit {MostSuspects}
                """, session.Reader);
            foreach (var value in (after ?? []).Concat(upTo ?? []))
                command.Parameters.Add(new() { Value = value });
            await using (var row = await command.ExecuteReaderAsync(cancel))
                while (await row.ReadAsync(cancel))
                    suspects.Add(row.GetString(0));
            if (upTo is null)
                break;
            after = upTo;
        }
        return suspects;
    }

    private async Task<string[]?> BoundAsync(Table table, string[]? after, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand($"""
            select {string.Join(", ", table.Key.Select(k => $"t.{k.Name}::text"))} from {Schema}.{table.Name} t
            where {(after is null ? "true" : $"({table.Columns("t")}) > ({table.Parameters(1)})")}
            order by {table.Columns("t")} offset {PageRows - 1} limit 1
            """, session.Reader);
        foreach (var value in after ?? [])
            command.Parameters.Add(new() { Value = value });
        await using var row = await command.ExecuteReaderAsync(cancel);
        return await row.ReadAsync(cancel) ? [.. Enumerable.Range(0, row.FieldCount).Select(row.GetString)] : null;
    }

    private async Task<List<RowDrift>> ConfirmAsync(
        Table table, List<string> suspects, GenerationFold fold, Func<BuildProgress, Task> report, CancellationToken cancel)
    {
        while (true)
        {
            var position = fold.Position;
            var (safe, _) = await session.EndAsync(cancel);
            await fold.AdvanceAsync(safe, () => Task.CompletedTask, cancel);
            await using var transaction = await session.Writer.BeginTransactionAsync(cancel);
            try
            {
                position = fold.Position;
                await session.ExecuteAsync(
                    $"set local lock_timeout = {(int)options.LockWait.TotalMilliseconds}; lock table public.mt_streams in share mode", cancel, transaction);
                var (_, last) = await session.EndAsync(cancel);
                await fold.AdvanceAsync(last, transaction, cancel);
                var drifts = await LookAgainAsync(table, suspects, transaction, cancel);
                await transaction.CommitAsync(cancel);
                return drifts;
            }
            catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected)
            {
                await transaction.RollbackAsync(cancel);
                fold.StartAgain(position);
                await report(new(BuildPhase.WaitingForLock, [table.Model], new(0, 0, 0, position, position, default, 0), "the log is being written without a pause"));
                await Task.Delay(options.Retry, cancel);
            }
        }
    }

    private async Task<List<RowDrift>> LookAgainAsync(Table table, List<string> suspects, NpgsqlTransaction transaction, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand($"""
            select {table.KeyOf("k")}::text, {table.Row("l")}::text, {table.Row("w")}::text
            from jsonb_to_recordset($1::jsonb) as k ({string.Join(", ", table.Key.Select(k => $"{k.Name} {k.Type}"))})
            left join {ReadModelSchema.Name}.{table.Name} l on {table.Same("l", "k")}
            left join {Schema}.{table.Name} w on {table.Same("w", "k")}
            where {table.Row("l")} is distinct from {table.Row("w")}
            """, session.Writer, transaction)
        {
            Parameters = { new() { Value = $"[{string.Join(',', suspects)}]" } },
        };
        var drifts = new List<RowDrift>();
        await using var row = await command.ExecuteReaderAsync(cancel);
        while (await row.ReadAsync(cancel))
            drifts.Add(new(table.Model, table.Name, row.GetString(0), row.IsDBNull(1) ? null : row.GetString(1), row.IsDBNull(2) ? null : row.GetString(2)));
        return drifts;
    }
}
