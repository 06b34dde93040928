using Npgsql;

namespace EventMail.EventStore;

/// <summary>A row of eventmail.read_model_build.</summary>
internal sealed record BuildRow(string Name, int Version, int Generation, string[] Tables, long Began, long Position, DateTimeOffset Started);

/// <summary>eventmail.read_model_build: what is being built, and how far it is.</summary>
internal static class BuildRows
{
    public static async Task<List<BuildRow>> ReadAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        const string sql = "select name, version, generation, tables, began, position, started from eventmail.read_model_build order by name";
        await using var command = new NpgsqlCommand(sql, connection);
        var rows = new List<BuildRow>();
        await using var row = await command.ExecuteReaderAsync(cancel);
        while (await row.ReadAsync(cancel))
            rows.Add(new(
                row.GetString(0), row.GetInt32(1), row.GetInt32(2), row.GetFieldValue<string[]>(3), row.GetInt64(4), row.GetInt64(5),
                row.GetFieldValue<DateTimeOffset>(6)));
        return rows;
    }

    public static NpgsqlBatchCommand Add(IReadModel model, int generation, long target) => new("""
        insert into eventmail.read_model_build (name, version, generation, tables, began, position, target, started, updated)
        values ($1, $2, $3, $4, 0, 0, $5, now(), now())
        """)
    {
        Parameters =
        {
            new() { Value = model.Name }, new() { Value = model.Version }, new() { Value = generation }, new() { Value = model.Tables.ToArray() },
            new() { Value = target },
        },
    };

    /// <summary>Fails with <see cref="FoldedBeforehand.SqlState"/> where it must begin anew.</summary>
    public static NpgsqlBatchCommand Move(string[] names, long position, double rate) => new($"""
        with moved as (update eventmail.read_model_build set position = $2, rate = $3, updated = now() where name = any($1) and position >= 0 returning 1)
        select eventmail.require_rows(cardinality($1), (select count(*) from moved), '{FoldedBeforehand.SqlState}')
        """)
    {
        Parameters = { new() { Value = names }, new() { Value = position }, new() { Value = rate } },
    };

    /// <summary>The same for the generation that was live before.</summary>
    public static NpgsqlBatchCommand MovePrevious(string[] names, long position) => new(
        "update eventmail.read_model set previous_position = $2 where name = any($1)")
    {
        Parameters = { new() { Value = names }, new() { Value = position } },
    };
}
