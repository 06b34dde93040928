using Npgsql;

namespace EventMail.EventStore;

/// <summary>
/// How far a verification is, beside the tables that it fills and moved with them: whoever comes after a process that ended goes on, if it is
/// about the same read models.
/// </summary>
internal sealed class VerificationProgress(GenerationSession session)
{
    internal const string Table = $"{ReadModelVerification.Schema}.verification";

    private const string Make = $"""
        drop schema if exists {ReadModelVerification.Schema} cascade;
        create schema {ReadModelVerification.Schema};
        create table {Table} (name text primary key, version int not null, tables text[] not null, position bigint not null)
        """;

    /// <summary>From where each of these is to be folded; their tables are there.</summary>
    public async Task<Dictionary<string, long>> BeginAsync(IReadOnlyList<IReadModel> models, CancellationToken cancel)
    {
        await session.ExecuteAsync("set client_min_messages = warning", cancel);
        if (await ReadAsync(models, cancel) is { } begun)
            return begun;
        await using var transaction = await session.Writer.BeginTransactionAsync(cancel);
        await session.ExecuteAsync(Make, cancel, transaction);
        foreach (var model in models)
        {
            await model.CreateAsync(session.Writer, cancel);
            await using var add = new NpgsqlCommand($"insert into {Table} (name, version, tables, position) values ($1, $2, $3, 0)", session.Writer, transaction)
            {
                Parameters = { new() { Value = model.Name }, new() { Value = model.Version }, new() { Value = model.Tables.ToArray() } },
            };
            await add.ExecuteNonQueryAsync(cancel);
        }
        await transaction.CommitAsync(cancel);
        return models.ToDictionary(m => m.Name, _ => 0L);
    }

    /// <summary>Fails with <see cref="FoldedBeforehand.SqlState"/> where it must begin anew.</summary>
    public static NpgsqlBatchCommand Move(string[] names, long position) => new($"""
        with moved as (update {Table} set position = $2 where name = any($1) and position >= 0 returning 1)
        select eventmail.require_rows(cardinality($1), (select count(*) from moved), '{FoldedBeforehand.SqlState}')
        """)
    {
        Parameters = { new() { Value = names }, new() { Value = position } },
    };

    public Task EndAsync(CancellationToken cancel) => session.ExecuteAsync($"drop schema {ReadModelVerification.Schema} cascade", cancel);

    // Null: nothing was begun, or something else.
    private async Task<Dictionary<string, long>?> ReadAsync(IReadOnlyList<IReadModel> models, CancellationToken cancel)
    {
        await using (var exists = new NpgsqlCommand($"select to_regclass('{Table}') is not null", session.Writer))
            if (!(bool)(await exists.ExecuteScalarAsync(cancel))!)
                return null;
        var positions = new Dictionary<string, long>(StringComparer.Ordinal);
        await using var command = new NpgsqlCommand($"select name, version, tables, position from {Table}", session.Writer);
        await using var row = await command.ExecuteReaderAsync(cancel);
        while (await row.ReadAsync(cancel))
        {
            var (name, version, tables) = (row.GetString(0), row.GetInt32(1), row.GetFieldValue<string[]>(2));
            if (row.GetInt64(3) < 0)
                throw new ErasureUnderWayException();
            if (!models.Any(m => m.Name == name && m.Version == version && m.Tables.SequenceEqual(tables)))
                return null;
            positions[name] = row.GetInt64(3);
        }
        return positions.Count == models.Count ? positions : null;
    }
}
