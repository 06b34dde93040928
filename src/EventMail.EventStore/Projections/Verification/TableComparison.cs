using Npgsql;

namespace EventMail.EventStore;

/// <summary>Compares a live table with the folded one row by row: in pages, without a long snapshot.</summary>
/// <param name="pause">Called behind each page with the number of its rows.</param>
internal sealed class TableComparison(GenerationSession session, ComparedTable table, Func<int, Task> pause)
{
    /// <summary>Rows of one comparison.</summary>
    private const int PageRows = 5000;

    /// <summary>Rows that are looked at once more; when more than these differ, the first of them are told.</summary>
    public const int MostSuspects = 10_000;

    /// <summary>The keys of rows that differ: of some the live table may have moved on meanwhile.</summary>
    public async Task<List<string>> SuspectsAsync(CancellationToken cancel)
    {
        var suspects = new List<string>();
        string[]? after = null;
        while (suspects.Count < MostSuspects)
        {
            // Page by page along the key; the last page goes to the end of either table.
            var upTo = await BoundAsync(after, cancel);
            var n = after is null ? 1 : 1 + table.Key.Count;
            var bounds = (after is null ? "true" : $"({table.Columns("t")}) > ({table.Parameters(1)})")
                + (upTo is null ? "" : $" and ({table.Columns("t")}) <= ({table.Parameters(n)})");
            await using var command = new NpgsqlCommand($"""
                select coalesce(l.k, w.k)::text
                from ({table.Rows(ReadModelSchema.Name, bounds)}) l full join ({table.Rows(ReadModelVerification.Schema, bounds)}) w on l.k = w.k
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
            await pause(PageRows);
        }
        return suspects;
    }

    private async Task<string[]?> BoundAsync(string[]? after, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(
            table.Bound(after is null ? "true" : $"({table.Columns("t")}) > ({table.Parameters(1)})", PageRows), session.Reader);
        foreach (var value in after ?? [])
            command.Parameters.Add(new() { Value = value });
        await using var row = await command.ExecuteReaderAsync(cancel);
        return await row.ReadAsync(cancel) ? [.. Enumerable.Range(0, row.FieldCount).Select(row.GetString)] : null;
    }

    /// <summary>Those of the suspects that differ now, when both tables stand at one position and cannot move.</summary>
    public async Task<List<RowDrift>> LookAgainAsync(IReadOnlyList<string> suspects, NpgsqlTransaction transaction, CancellationToken cancel)
    {
        var among = $"({table.Columns("t")}) in (select {table.Columns("k")} from {table.Keys("$1", "k")})";
        await using var command = new NpgsqlCommand($"""
            select coalesce(l.k, w.k)::text, l.r::text, w.r::text
            from ({table.Rows(ReadModelSchema.Name, among)}) l full join ({table.Rows(ReadModelVerification.Schema, among)}) w on l.k = w.k
            where l.r is distinct from w.r order by 1
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
