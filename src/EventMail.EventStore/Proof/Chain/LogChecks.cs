using Npgsql;

namespace EventMail.EventStore.Proof;

/// <summary>How far the verification of the log behind the mail is.</summary>
/// <param name="Position">Up to where this round has come.</param>
/// <param name="Ended">When it came to the log's end; null while it is under way.</param>
public sealed record LogCheck(long Position, DateTimeOffset Began, DateTimeOffset? Ended);

/// <summary>eventmail.log_check: one row, which goes round and round.</summary>
public static class LogChecks
{
    /// <summary>Null: it has never begun.</summary>
    public static async Task<LogCheck?> ReadAsync(NpgsqlDataSource source, CancellationToken cancel)
    {
        await using var command = source.CreateCommand("select position, began, ended from eventmail.log_check");
        await using var row = await command.ExecuteReaderAsync(cancel);
        return await row.ReadAsync(cancel)
            ? new(row.GetInt64(0), row.GetFieldValue<DateTimeOffset>(1), row.IsDBNull(2) ? null : row.GetFieldValue<DateTimeOffset>(2))
            : null;
    }

    public static async Task WriteAsync(NpgsqlDataSource source, LogCheck check, CancellationToken cancel)
    {
        const string sql = """
            insert into eventmail.log_check (position, began, ended) values ($1, $2, $3)
            on conflict (id) do update set position = excluded.position, began = excluded.began, ended = excluded.ended
            """;
        await using var command = source.CreateCommand(sql);
        command.Parameters.Add(new() { Value = check.Position });
        command.Parameters.Add(new() { Value = check.Began.ToUniversalTime() });
        command.Parameters.Add(new() { Value = check.Ended is { } ended ? ended.ToUniversalTime() : DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.TimestampTz });
        await command.ExecuteNonQueryAsync(cancel);
    }
}
