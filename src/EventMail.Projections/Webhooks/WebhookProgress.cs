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
    // What the log says, whoever is sending.
    private static readonly string Removed = $"""
        select data ->> 'Id' from public.mt_events
        where tenant_id = '{WebhookKind.Stream.Key.Tenant}' and stream_id = '{WebhookKind.Stream.Key.Id}' and type = 'webhook_removed'
        """;

    /// <summary>Null: nothing yet.</summary>
    public async Task<long?> PositionAsync(string hook, CancellationToken cancel)
    {
        await using var command = source.CreateCommand("select position from eventmail.webhook where id = $1");
        command.Parameters.Add(new() { Value = hook });
        return await command.ExecuteScalarAsync(cancel) as long?;
    }

    /// <summary>Everything up to there was told, or did not concern it, or is a dead letter. Of a webhook that was removed meanwhile nothing is noted.</summary>
    public Task MoveAsync(string hook, long position, CancellationToken cancel) => NoteAsync(
        $"""
        insert into eventmail.webhook (id, position) select $1, $2 where $1 not in ({Removed})
        on conflict (id) do update set position = excluded.position, moved = now()
        """,
        cancel, hook, position);

    /// <summary>Given up: one transaction with the position behind it. Of a webhook that was removed meanwhile nothing is noted.</summary>
    public Task BuryAsync(string hook, long position, string type, int attempts, string reason, CancellationToken cancel) => NoteAsync(
        $"""
        with moved as (
          insert into eventmail.webhook (id, position) select $1, $2 where $1 not in ({Removed})
          on conflict (id) do update set position = greatest(webhook.position, excluded.position), moved = now()
          returning id)
        insert into eventmail.webhook_dead (hook, position, type, attempts, reason) select $1, $2, $3, $4, $5 from moved
        on conflict (hook, position) do update set attempts = webhook_dead.attempts + excluded.attempts, reason = excluded.reason, failed = now(), again = false
        """,
        cancel, hook, position, type, attempts, reason);

    /// <summary>A dead letter was tried once more, for nothing. One that was dropped meanwhile stays so.</summary>
    public Task FailAgainAsync(string hook, long position, string reason, CancellationToken cancel) => ExecuteAsync(
        "update eventmail.webhook_dead set attempts = attempts + 1, reason = $3, failed = now(), again = false where hook = $1 and position = $2",
        cancel, hook, position, reason);

    public Task ResolveAsync(string hook, long position, CancellationToken cancel) =>
        ExecuteAsync("delete from eventmail.webhook_dead where hook = $1 and position = $2", cancel, hook, position);

    /// <summary>All of a webhook whose removal is in the log.</summary>
    public Task ForgetAsync(string hook, CancellationToken cancel) => NoteAsync(
        "with dead as (delete from eventmail.webhook_dead where hook = $1) delete from eventmail.webhook where id = $1", cancel, hook);

    /// <summary>All of those whose removal is in the log: what processes left behind that ended on their way.</summary>
    public Task ForgetRemovedAsync(CancellationToken cancel) => ExecuteAsync(
        $"""
        with removed (id) as ({Removed}), dead as (delete from eventmail.webhook_dead where hook in (select id from removed))
        delete from eventmail.webhook where id in (select id from removed)
        """,
        cancel);

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

    // Behind the lock, and so by what the log says then: who notes something is either before who forgets it, or sees that it was removed.
    private async Task NoteAsync(string sql, CancellationToken cancel, params object[] values)
    {
        await using var batch = source.CreateBatch();
        batch.BatchCommands.Add(new("select pg_advisory_xact_lock(hashtextextended('eventmail webhook ' || $1, 8))") { Parameters = { new() { Value = values[0] } } });
        var note = new NpgsqlBatchCommand(sql);
        foreach (var value in values)
            note.Parameters.Add(new() { Value = value });
        batch.BatchCommands.Add(note);
        await batch.ExecuteNonQueryAsync(cancel);
    }

    private async Task<int> ExecuteAsync(string sql, CancellationToken cancel, params object[] values)
    {
        await using var command = source.CreateCommand(sql);
        foreach (var value in values)
            command.Parameters.Add(value is DBNull ? new() { Value = value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Bigint } : new() { Value = value });
        return await command.ExecuteNonQueryAsync(cancel);
    }
}
