using Npgsql;

namespace EventMail.EventStore;

/// <summary>What the last verification of a read model found.</summary>
/// <param name="Generation">The live one then.</param>
/// <param name="Position">Up to where in the log it was compared.</param>
/// <param name="Drifted">Rows that were not what the log says.</param>
public sealed record ReadModelCheck(int Generation, DateTimeOffset Checked, long Position, int Drifted);

/// <summary>eventmail.read_model_check: what verifications found.</summary>
public static class ReadModelChecks
{
    public static async Task WriteAsync(NpgsqlConnection connection, VerifiedModel model, CancellationToken cancel)
    {
        const string sql = """
            insert into eventmail.read_model_check (name, generation, checked, position, drifted) values ($1, $2, now(), $3, $4)
            on conflict (name) do update set generation = excluded.generation, checked = excluded.checked, position = excluded.position, drifted = excluded.drifted
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters = { new() { Value = model.Name }, new() { Value = model.Generation }, new() { Value = model.Position }, new() { Value = model.Drifts.Count } },
        };
        await command.ExecuteNonQueryAsync(cancel);
    }

    /// <summary>Of generations that are live; by the read model's name.</summary>
    public static async Task<IReadOnlyDictionary<string, ReadModelCheck>> ReadAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        const string sql = """
            select c.name, c.generation, c.checked, c.position, c.drifted
            from eventmail.read_model_check c join eventmail.read_model m on m.name = c.name and m.generation = c.generation
            """;
        await using var command = new NpgsqlCommand(sql, connection);
        var checks = new Dictionary<string, ReadModelCheck>(StringComparer.Ordinal);
        await using var row = await command.ExecuteReaderAsync(cancel);
        while (await row.ReadAsync(cancel))
            checks[row.GetString(0)] = new(row.GetInt32(1), row.GetFieldValue<DateTimeOffset>(2), row.GetInt64(3), row.GetInt32(4));
        return checks;
    }
}
