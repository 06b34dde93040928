using Npgsql;

namespace EventMail.EventStore;

/// <summary>A row of eventmail.read_model.</summary>
internal sealed record LiveReadModel(string Name, int Version, int Generation, string[] Tables, DateTimeOffset Built, PreviousGeneration? Previous, string[] PreviousTables)
{
    /// <summary>No generation had this number before.</summary>
    public int NextGeneration => Math.Max(Generation, Previous?.Generation ?? 0) + 1;
}

/// <summary>eventmail.read_model: which generation of each read model is live.</summary>
internal static class ReadModelCatalog
{
    private const string Columns =
        "name, version, generation, tables, built, previous_version, previous_generation, previous_tables, previous_position";

    public static async Task<Dictionary<string, LiveReadModel>> ReadAsync(NpgsqlConnection connection, CancellationToken cancel, NpgsqlTransaction? transaction = null)
    {
        await using var command = new NpgsqlCommand($"select {Columns} from eventmail.read_model", connection, transaction);
        var models = new Dictionary<string, LiveReadModel>(StringComparer.Ordinal);
        await using var row = await command.ExecuteReaderAsync(cancel);
        while (await row.ReadAsync(cancel))
            models[row.GetString(0)] = new(
                row.GetString(0), row.GetInt32(1), row.GetInt32(2), row.GetFieldValue<string[]>(3), row.GetFieldValue<DateTimeOffset>(4),
                row.IsDBNull(5) ? null : new(row.GetInt32(5), row.GetInt32(6), row.GetInt64(8)), row.IsDBNull(7) ? [] : row.GetFieldValue<string[]>(7));
        return models;
    }

    /// <summary>Says of tables that are there that they are the live generation.</summary>
    /// <param name="version">What follows the log has its version in its position's name: its first generation has that number.</param>
    public static async Task AddAsync(NpgsqlConnection connection, IReadModel model, int version, CancellationToken cancel)
    {
        const string sql = """
            insert into eventmail.read_model (name, version, generation, tables, built) values ($1, $2, $2, $3, now())
            on conflict (name) do update set version = excluded.version, tables = excluded.tables
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters = { new() { Value = model.Name }, new() { Value = version }, new() { Value = model.Tables.ToArray() } },
        };
        await command.ExecuteNonQueryAsync(cancel);
    }

    /// <summary>The generation that this version of a read model has; null when the live one is another version's.</summary>
    public static async Task<int?> GenerationAsync(NpgsqlConnection connection, IReadModel model, CancellationToken cancel, NpgsqlTransaction? transaction = null)
    {
        const string sql = "select generation from eventmail.read_model where name = $1 and version = $2";
        await using var command = new NpgsqlCommand(transaction is null ? sql : $"{sql} for share", connection, transaction)
        {
            Parameters = { new() { Value = model.Name }, new() { Value = model.Version } },
        };
        return await command.ExecuteScalarAsync(cancel) as int?;
    }

    /// <summary>Whoever folds another version than the live one must not commit: its rows would be of another meaning.</summary>
    /// <exception cref="ReadModelVersionException">So it is.</exception>
    public static async Task RequireAsync(NpgsqlConnection connection, IReadOnlyList<IInlineProjection> models, CancellationToken cancel)
    {
        var live = await ReadAsync(connection, cancel);
        foreach (var model in models)
        {
            if (live.GetValueOrDefault(model.Name) is { } found && found.Version != model.Version)
                throw new ReadModelVersionException(
                    $"The read model {model.Name} has been changed over to version {found.Version}, and this program folds version {model.Version}: restart it with the newer one");
        }
    }

    /// <summary>The row of mt_event_progression, with Marten's naming.</summary>
    public static string ProgressionOf(string name, int generation) => generation == 1 ? $"{name}:All" : $"{name}:V{generation}:All";
}
