using Npgsql;

namespace EventMail.EventStore;

/// <summary>
/// A table with what finds its rows: its primary key, or the columns of its first whole index, which may find several. Makes the SQL in which
/// a live table is compared with one that was folded beside it.
/// </summary>
/// <param name="IsUnique">A key finds at most one row.</param>
/// <param name="Beside">Columns that do not follow from the log.</param>
internal sealed record ComparedTable(string Model, string Name, IReadOnlyList<(string Name, string Type)> Key, bool IsUnique, IReadOnlyList<string> Beside)
{
    private const string Describe = """
        with best as (
          select i.indexrelid, i.indrelid, i.indkey, i.indisprimary from pg_index i
          where i.indrelid = to_regclass($1) and i.indpred is null and i.indexprs is null
          order by i.indisprimary desc, i.indisunique desc, i.indexrelid limit 1)
        select a.attname::text, format_type(a.atttypid, null), i.indisprimary
        from best i cross join lateral unnest(i.indkey) with ordinality as k (attnum, n)
        join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
        order by k.n
        """;

    public static async Task<ComparedTable> DescribeAsync(NpgsqlConnection connection, IReadModel model, string table, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(Describe, connection) { Parameters = { new() { Value = $"{ReadModelVerification.Schema}.{table}" } } };
        var key = new List<(string, string)>();
        var isUnique = false;
        await using var row = await command.ExecuteReaderAsync(cancel);
        while (await row.ReadAsync(cancel))
        {
            key.Add((row.GetString(0), row.GetString(1)));
            isUnique = row.GetBoolean(2);
        }
        return key.Count > 0
            ? new(model.Name, table, key, isUnique, model.BesideTheLog)
            : throw new InvalidOperationException($"{table} has no index along which it could be compared");
    }

    /// <summary>Keys k and rows r of a stretch of the table, where rows of one key are one.</summary>
    /// <param name="where">On t.</param>
    public string Rows(string schema, string where) => IsUnique
        ? $"select {KeyOf("t")} as k, {RowOf("t")} as r from {schema}.{Name} t where {where}"
        : $"select {KeyOf("t")} as k, jsonb_agg({RowOf("t")} order by {RowOf("t")}::text) as r from {schema}.{Name} t where {where} group by 1";

    /// <summary>The key that is the last of a page in the folded table.</summary>
    public string Bound(string where, int page) =>
        $"select {string.Join(", ", Key.Select(k => $"t.{k.Name}::text"))} from {ReadModelVerification.Schema}.{Name} t where {where} order by {Columns("t")} offset {page - 1} limit 1";

    public string Columns(string of) => string.Join(", ", Key.Select(k => $"{of}.{k.Name}"));

    /// <summary>Parameters that hold a key as texts.</summary>
    public string Parameters(int from) => string.Join(", ", Key.Select((k, i) => $"${from + i}::text::{k.Type}"));

    /// <summary>A list of keys (JSON) as a table.</summary>
    public string Keys(string parameter, string alias) =>
        $"jsonb_to_recordset({parameter}::jsonb) as {alias} ({string.Join(", ", Key.Select(k => $"{k.Name} {k.Type}"))})";

    private string KeyOf(string of) => $"jsonb_build_object({string.Join(", ", Key.Select(k => $"'{k.Name}', {of}.{k.Name}"))})";

    private string RowOf(string of) => $"(to_jsonb({of}){string.Concat(Beside.Select(column => $" - '{column}'"))})";
}
