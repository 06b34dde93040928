using Npgsql;

namespace EventMail.Projections.Webhooks;

/// <summary>An event that a webhook did not take.</summary>
/// <param name="Position">Of the event.</param>
/// <param name="Again">It is to be tried again, and was not yet.</param>
public sealed record DeadLetter(string Hook, long Position, string Type, DateTimeOffset Failed, int Attempts, string Reason, bool Again);

/// <summary>
/// Up to where each webhook was told of the log, and what it did not take: eventmail.webhook, eventmail.webhook_dead. No part of the log
/// (docs/decisions/0044-webhooks.md). Thread-safe.
/// </summary>
public sealed class WebhookProgress(NpgsqlDataSource source)
{
    /// <summary>Null: nothing yet.</summary>
    public async Task<long?> PositionAsync(string hook, CancellationToken cancel)
    {
        await using var command = source.CreateCommand("select position from eventmail.webhook where id = $1");
        command.Parameters.Add(new() { Value = hook });
        return await command.ExecuteScalarAsync(cancel) as long?;
    }

    /// <summary>Everything up to there was told, or did not concern it, or is a dead letter.</summary>
    public Task MoveAsync(string hook, long position, CancellationToken cancel) => ExecuteAsync(
        """
        insert into eventmail.webhook (id, position) values ($1, $2)
        on conflict (id) do update set position = excluded.position, moved = now()
        """,
        cancel, hook, position);

    /// <summary>Given up: one transaction with the position behind it.</summary>
    public Task BuryAsync(string hook, long position, string type, int attempts, string reason, CancellationToken cancel) => ExecuteAsync(
        """
        with moved as (
          insert into eventmail.webhook (id, position) values ($1, $2)
          on conflict (id) do update set position = greatest(webhook.position, excluded.position), moved = now())
        insert into eventmail.webhook_dead (hook, position, type, attempts, reason) values ($1, $2, $3, $4, $5)
        on conflict (hook, position) do update set attempts = webhook_dead.attempts + excluded.attempts, reason = excluded.reason, failed = now(), again = false
        """,
        cancel, hook, position, type, attempts, reason);

    public Task ResolveAsync(string hook, long position, CancellationToken cancel) =>
        ExecuteAsync("delete from eventmail.webhook_dead where hook = $1 and position = $2", cancel, hook, position);

    public Task ForgetAsync(string hook, CancellationToken cancel) => ExecuteAsync(
        "with dead as (delete from eventmail.webhook_dead where hook = $1) delete from eventmail.webhook where id = $1", cancel, hook);

    /// <summary>Marks dead letters to be tried again by the Host that sends.</summary>
    /// <param name="position">Null for all of the webhook's.</param>
    /// <returns>How many.</returns>
    public Task<int> RetryAsync(string hook, long? position, CancellationToken cancel) => ExecuteAsync(
        "update eventmail.webhook_dead set again = true where hook = $1 and ($2::bigint is null or position = $2)", cancel, hook, (object?)position ?? DBNull.Value);

    /// <summary>Gives dead letters up: the webhook is never told of these events.</summary>
    /// <param name="position">Null for all of the webhook's.</param>
    /// <returns>How many.</returns>
    public Task<int> DropAsync(string hook, long? position, CancellationToken cancel) => ExecuteAsync(
        "delete from eventmail.webhook_dead where hook = $1 and ($2::bigint is null or position = $2)", cancel, hook, (object?)position ?? DBNull.Value);

    /// <summary>By webhook, and in the order of the log.</summary>
    /// <param name="hook">Null for all.</param>
    /// <param name="again">Only those that are to be tried again.</param>
    /// <param name="after">Only what comes behind this one, by its webhook and position.</param>
    public async Task<IReadOnlyList<DeadLetter>> DeadAsync(
        string? hook, bool again, int limit, CancellationToken cancel, (string Hook, long Position)? after = null)
    {
        await using var command = source.CreateCommand("""
            select hook, position, type, failed, attempts, reason, again from eventmail.webhook_dead
            where ($1::text is null or hook = $1) and (again or not $2) and (hook, position) > ($4, $5) order by hook, position limit $3
            """);
        command.Parameters.Add(new() { Value = (object?)hook ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text });
        command.Parameters.Add(new() { Value = again });
        command.Parameters.Add(new() { Value = limit });
        command.Parameters.Add(new() { Value = after?.Hook ?? "" });
        command.Parameters.Add(new() { Value = after?.Position ?? 0L });
        var letters = new List<DeadLetter>();
        await using var row = await command.ExecuteReaderAsync(cancel);
        while (await row.ReadAsync(cancel))
            letters.Add(new(
                row.GetString(0), row.GetInt64(1), row.GetString(2), row.GetFieldValue<DateTimeOffset>(3), row.GetInt32(4), row.GetString(5), row.GetBoolean(6)));
        return letters;
    }

    private async Task<int> ExecuteAsync(string sql, CancellationToken cancel, params object[] values)
    {
        await using var command = source.CreateCommand(sql);
        foreach (var value in values)
            command.Parameters.Add(value is DBNull ? new() { Value = value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Bigint } : new() { Value = value });
        return await command.ExecuteNonQueryAsync(cancel);
    }
}
