using Microsoft.Extensions.Logging;
using Npgsql;

namespace EventMail.EventStore;

/// <summary>
/// The loop that decides and commits: one batch at a time, optimistic first (one round trip on cached states), under row locks
/// after a conflict, command by command after any other fault of the database.
/// </summary>
internal sealed class Committer(
    CommandQueue queue, CommitterConnection connections, StateLoader states, StateCache cache, Publisher publisher,
    NodeLink link, ContentStore contents, SubjectKeys subjects, EventTypeMap types, IReadOnlyList<IInlineProjection> inline, Quarantine quarantine, EventLogOptions options,
    ILogger log)
{
    /// <summary>Decisions under locks before a batch gives up. Only streams that do not exist yet can conflict even then.</summary>
    private const int MaxLockedAttempts = 20;

    /// <summary>
    /// Connections lost over one batch that was under way before its commands are tried one by one, and over one command before
    /// it fails: it may be what breaks them.
    /// </summary>
    private const int MaxLosses = 10;

    // Waits for rows in the order in which every node locks them; for streams without a row, for whoever else is making them.
    private const string LockRows = """
        select tenant_id, id from public.mt_streams
        where (tenant_id, id) in (select * from unnest($1::varchar[], $2::uuid[])) order by id for update
        """;
    private const string LockNames = """
        select pg_advisory_xact_lock(hashtextextended(id::text, 6)) from (select id from unnest($1::uuid[]) id order by id) named
        """;

    private readonly BatchSealing _sealing = new(subjects);
    private readonly BatchHashes _hashes = new();
    private DateTimeOffset _now;

    /// <summary>Runs until the queue is closed and empty, or <paramref name="stop"/> gives up on what is left.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        while (await queue.WaitAsync(stop))
        {
            var commands = queue.Take(options.BatchCommands, options.BatchContentBytes);
            if (commands.Count == 0)
                continue;
            try
            {
                await ProcessAsync(commands, stop);
            }
            catch (Exception e)
            {
                if (e is not OperationCanceledException)
                    log.BatchFailed(e, commands.Count);
                foreach (var command in commands)
                    command.Fail(e);
            }
        }
    }

    private async Task ProcessAsync(IReadOnlyList<PendingCommand> commands, CancellationToken stop)
    {
        var locked = 0;
        var losses = 0;
        var termsFailed = false;
        while (true)
        {
            var batch = new Batch(commands, types, Now()) { TermsFailed = termsFailed };
            try
            {
                var connection = await connections.GetAsync(stop);
                if (locked == 0)
                    await AttemptAsync(batch, connection, stop);
                else
                    await AttemptLockedAsync(batch, connection, stop);
                return;
            }
            catch (PostgresException e) when (Faults.IsConflict(e) && locked < MaxLockedAttempts)
            {
                log.Conflict(e.SqlState, commands.Count);
                _sealing.GiveUp(batch);
                locked++;
                termsFailed = e.SqlState is CommitTerm.Conflict or BatchWriter.ContentConflict;
            }
            catch (Exception e) when (Faults.IsLoss(e) || (batch.Sent && e is not PostgresException))
            {
                log.CommitterDisconnected(e);
                await connections.DropAsync();
                if (!batch.Sent)
                    continue;
                if (await WasCommittedAsync(batch, stop))
                {
                    Finish(batch);
                    return;
                }
                if (++losses >= MaxLosses && commands.Count == 1)
                {
                    Fail(commands[0], e);
                    return;
                }
                if (losses >= MaxLosses)
                {
                    await OneByOneAsync(commands, stop);
                    return;
                }
            }
            catch (Exception e) when (commands.Count > 1 && e is not OperationCanceledException)
            {
                await OneByOneAsync(commands, stop);
                return;
            }
            catch (PostgresException e) when (Faults.IsConstraint(e))
            {
                commands[0].Complete(new(new ConstraintConflict(e.ConstraintName ?? ""), null));
                return;
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                Fail(commands[0], e);
                return;
            }
            finally
            {
                await ArriveAsync();
            }
        }
    }

    // One of them is to blame: its neighbours must not fail with it.
    private async Task OneByOneAsync(IReadOnlyList<PendingCommand> commands, CancellationToken stop)
    {
        foreach (var command in commands)
        {
            if (!queue.TryWaitBehind(command))
                await ProcessAsync([command], stop);
        }
    }

    private void Fail(PendingCommand command, Exception error)
    {
        log.CommandFailed(error, command.Command.GetType().Name);
        command.Fail(error);
    }

    // No explicit transaction: the statements of one round trip are one.
    private async Task AttemptAsync(Batch batch, NpgsqlConnection connection, CancellationToken cancel)
    {
        await connections.RefuseReadOnlyAsync(batch, connection, cancel);
        await PrepareAsync(batch, connection, null, lookUpAll: false, cancel);
        batch.Decide();
        if (batch.Writes)
            await WriteAsync(batch, connection, null);
        Finish(batch);
    }

    private async Task AttemptLockedAsync(Batch batch, NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        var keys = batch.Commands.SelectMany(c => c.Command.Streams).Select(s => s.Key).Distinct().ToList();
        await LockAsync(keys, connection, transaction, cancel);
        // Read in later statements: the one that waited for a lock still shows what was there before it waited.
        await states.CatchUpAsync(keys, connection, cancel);
        await connections.RefuseReadOnlyAsync(batch, connection, cancel);
        await PrepareAsync(batch, connection, transaction, lookUpAll: true, cancel);
        batch.Decide();
        if (batch.Writes)
            await WriteAsync(batch, connection, transaction);
        await transaction.CommitAsync(CancellationToken.None);
        Finish(batch);
    }

    private static async Task LockAsync(
        List<StreamKey> keys, NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken cancel)
    {
        var unborn = keys.ToHashSet();
        await using (var rows = new NpgsqlCommand(LockRows, connection, transaction)
        {
            Parameters = { new() { Value = keys.Select(k => k.Tenant).ToArray() }, new() { Value = keys.Select(k => k.Id).ToArray() } },
        })
        await using (var reader = await rows.ExecuteReaderAsync(cancel))
            while (await reader.ReadAsync(cancel))
                unborn.Remove(new(reader.GetString(0), reader.GetGuid(1)));
        if (unborn.Count == 0)
            return;
        await using var names = new NpgsqlCommand(LockNames, connection, transaction)
        {
            Parameters = { new() { Value = unborn.Select(k => k.Id).ToArray() } },
        };
        await names.ExecuteNonQueryAsync(cancel);
    }

    // Every stream of every command has a working state, every content its final number.
    private async Task PrepareAsync(
        Batch batch, NpgsqlConnection connection, NpgsqlTransaction? transaction, bool lookUpAll, CancellationToken cancel)
    {
        Dictionary<StreamKey, StreamKind>? cold = null;
        foreach (var command in batch.Commands)
            foreach (var stream in command.Command.Streams)
            {
                var (kind, key) = stream;
                if (batch.Streams.ContainsKey(key))
                    continue;
                // Also where its header would do: what is appended behind an event that nobody can read may be wrong.
                if (quarantine.Find(key) is { } damaged)
                {
                    batch.Failed.Add((command, new DamagedStreamException(damaged)));
                    continue;
                }
                if (cache.TryGet(key, out var state, out _))
                    batch.Streams[key] = new(kind, key, state);
                else if (stream.IsNew && !lookUpAll)
                    batch.Streams[key] = new(kind, key, new(kind.Empty(key), 0));
                else
                    (cold ??= [])[key] = kind;
            }
        if (cold is not null)
            foreach (var kind in cold.GroupBy(c => c.Value, c => c.Key))
                await LoadAsync(batch, kind.Key, [.. kind], connection, cancel);
        await FollowLastAsync(batch, connection, transaction, cancel);
        await ContentResolver.ResolveAsync(batch.Commands, contents, connection, transaction, lookUpAll, cancel);
    }

    private async Task LoadAsync(
        Batch batch, StreamKind kind, IReadOnlyList<StreamKey> keys, NpgsqlConnection connection, CancellationToken cancel)
    {
        try
        {
            foreach (var (key, state) in await states.LoadAsync(kind, keys, connection, cancel))
                batch.Streams[key] = new(kind, key, state);
        }
        catch (Exception e) when (e is not (NpgsqlException or OperationCanceledException) && !Faults.IsLoss(e))
        {
            // A stream that cannot be folded fails the commands that need it, and only those.
            if (keys.Count > 1)
            {
                foreach (var key in keys)
                    await LoadAsync(batch, kind, [key], connection, cancel);
                return;
            }
            if (e is DamagedStreamException damaged)
                quarantine.Found(damaged.Row);
            log.StreamUnreadable(e, kind.Name, keys[0]);
            foreach (var command in batch.Commands)
                if (command.Command.Streams.Any(s => s.Key == keys[0]))
                    batch.Failed.Add((command, e));
        }
    }

    // States that come from a read model's row say nothing of their last event, and that of another application's event has no hash: read
    // once, then it is in the cache with the state.
    private async Task FollowLastAsync(Batch batch, NpgsqlConnection connection, NpgsqlTransaction? transaction, CancellationToken cancel)
    {
        List<WorkingStream>? unknown = null;
        foreach (var stream in batch.Streams.Values)
            if (stream.LastIsUnknown)
                (unknown ??= []).Add(stream);
        if (unknown is null)
            return;
        var found = await LastEvents.ReadAsync(connection, transaction, [.. unknown.Select(s => (s.Key, s.Committed.Version))], cancel);
        foreach (var (stream, last) in unknown.Zip(found))
        {
            if (last is null)
                log.LastEventMissing(stream.Kind.Name, stream.Key, stream.Committed.Version);
            stream.Follows(last ?? LastEvent.Missing);
            publisher.Follows(stream.Key, stream.Committed);
        }
    }

    private async Task WriteAsync(Batch batch, NpgsqlConnection connection, NpgsqlTransaction? transaction)
    {
        await _sealing.SealAsync(batch, connection, transaction);
        _hashes.Link(batch);
        publisher.Depart(batch.Commit.Changes);
        var began = EventStoreTelemetry.Began;
        using var span = EventStoreTelemetry.Spans.StartActivity("commit");
        span?.SetTag("events", batch.Events.Count);
        // Once sent it is not cancelled: its callers want to know what became of it.
        await BatchWriter.WriteAsync(
            connection, transaction, batch, inline, link.OthersPresent ? link.Node : null, CancellationToken.None);
        EventStoreTelemetry.Committed(began);
    }

    private void Finish(Batch batch)
    {
        if (batch.Writes)
        {
            _sealing.Finish(batch);
            foreach (var content in batch.Commit.Contents)
                contents.Remember(content);
            foreach (var command in batch.Commands)
                foreach (var content in command.Command.Contents)
                    contents.DropNeedless(content);
            foreach (var number in batch.Released)
                contents.Forget(number);
            // Publish after commit and in commit order, and before the callers hear of it: they read their own writes.
            publisher.PublishOwn(batch.Commit);
        }
        foreach (var (command, prepare) in batch.Deferred)
            Defer(command, prepare);
        foreach (var command in batch.Behind)
            queue.WaitBehind(command);
        batch.Complete();
    }

    private void Defer(PendingCommand command, Func<CancellationToken, Task> prepare)
    {
        if (command.Deferrals++ == options.MaxDeferrals)
        {
            command.Fail(new InvalidOperationException(
                $"{command.Command.GetType().Name} deferred more than {options.MaxDeferrals} times"));
            return;
        }
        queue.Leave(command);
        _ = PrepareAndReturnAsync(command, prepare);
    }

    private async Task PrepareAndReturnAsync(PendingCommand command, Func<CancellationToken, Task> prepare)
    {
        try
        {
            await Task.Run(() => prepare(CancellationToken.None));
            queue.Return(command);
        }
        catch (Exception e)
        {
            Fail(command, e);
            queue.Forget(command);
        }
    }

    // The whole batch is one transaction: one event tells of all. mt_events has no index on id, so it is found by its place.
    private async Task<bool> WasCommittedAsync(Batch batch, CancellationToken stop)
    {
        if (batch.Events.Count == 0)
            return false; // contents alone: storing them again finds them
        const string sql = """
            select e.id, e.seq_id from unnest($1::varchar[], $2::uuid[], $3::bigint[]) as w (tenant_id, stream_id, version)
            join public.mt_events e on e.tenant_id = w.tenant_id and e.stream_id = w.stream_id and e.version = w.version
            """;
        while (true)
        {
            var connection = await connections.GetAsync(stop); // fenced: the transaction has ended
            try
            {
                await using var command = new NpgsqlCommand(sql, connection)
                {
                    Parameters =
                    {
                        new() { Value = batch.Events.Select(e => e.Event.Stream.Tenant).ToArray() },
                        new() { Value = batch.Events.Select(e => e.Event.Stream.Id).ToArray() },
                        new() { Value = batch.Events.Select(e => e.Event.Version).ToArray() },
                    },
                };
                var found = new Dictionary<Guid, long>();
                await using (var reader = await command.ExecuteReaderAsync(stop))
                    while (await reader.ReadAsync(stop))
                        found[reader.GetGuid(0)] = reader.GetInt64(1);
                var committed = found.ContainsKey(batch.Events[0].Event.Id);
                log.CommitterReconnected(committed ? "committed" : "not committed");
                if (committed)
                    foreach (var e in batch.Events)
                        e.Event.Sequence = found[e.Event.Id];
                return committed;
            }
            catch (Exception e) when (Faults.IsLoss(e))
            {
                log.CommitterDisconnected(e);
                await connections.DropAsync();
            }
        }
    }

    private async Task ArriveAsync()
    {
        var postponed = publisher.Arrive();
        if (postponed.Count > 0)
            await link.CatchUpLaterAsync(postponed);
    }

    // PostgreSQL keeps microseconds. Never backwards: the log's order is also the order of its times, per node.
    private DateTimeOffset Now()
    {
        var now = options.Clock.GetUtcNow();
        now = now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMicrosecond));
        return _now = now > _now ? now : _now;
    }
}
