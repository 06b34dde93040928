using System.Diagnostics;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EventMail.EventStore;

/// <summary>
/// Moves one asynchronous projection along the log, a page per transaction. The position is written in the same transaction, so
/// every event counts once, whatever breaks in between. Whoever holds the projection's advisory lock runs it.
/// </summary>
internal sealed class ProjectionRunner(
    IAsyncProjection projection, NpgsqlDataSource source, EventReader reader, LogTail tail, TimeSpan poll, ILogger log) : IAsyncDisposable
{
    private static readonly TimeSpan MinDelay = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan MaxDelay = TimeSpan.FromSeconds(30);

    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;
    private long _lookedForSkipped;

    public string Name => projection.Name;

    private string ProgressionOf(int generation) => ReadModelCatalog.ProgressionOf(Name, generation);

    private void Wake() => _wake.Writer.TryWrite(true);

    public void Wake(CommitBatch batch)
    {
        foreach (var change in batch.Changes)
        {
            foreach (var e in change.Events)
            {
                if (!projection.IsNews(e))
                    continue;
                Wake();
                return;
            }
        }
    }

    public void Start() => _running = Task.Run(RunAsync);

    private async Task RunAsync()
    {
        var delay = MinDelay;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await using var connection = await source.OpenConnectionAsync(_stop.Token);
                int? generation;
                while ((generation = await ReadModelCatalog.GenerationAsync(connection, projection, _stop.Token)) is null
                    || !await TryLockAsync(connection, generation.Value))
                    await Task.Delay(poll, _stop.Token); // another node runs it, or another version; it may end
                using var place = tail.Join();
                while (await AdvanceAsync(connection, generation.Value, place) && await TakeUpAsync(connection, generation.Value))
                {
                    delay = MinDelay;
                    await WaitAsync();
                }
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                log.ProjectionFailed(e, Name, delay.TotalMilliseconds);
                await Task.WhenAny(Task.Delay(delay, _stop.Token));
                delay = delay * 2 < MaxDelay ? delay * 2 : MaxDelay;
            }
        }
    }

    // False: the tables are another generation's now.
    private async Task<bool> AdvanceAsync(NpgsqlConnection connection, int generation, LogTail.Follower place)
    {
        var position = await PositionAsync(connection, generation);
        await foreach (var page in tail.ReadAsync(place, position, Math.Min(projection.PageSize, EventReader.PageSize), _stop.Token))
        {
            if (!await ApplyAsync(connection, page, generation))
                return false;
        }
        return true;
    }

    private async Task<bool> ApplyAsync(NpgsqlConnection connection, IReadOnlyList<StoredEvent> page, int generation)
    {
        const string progress = """
            insert into public.mt_event_progression (name, last_seq_id, last_updated) values ($1, $2, transaction_timestamp())
            on conflict (name) do update set last_seq_id = excluded.last_seq_id, last_updated = excluded.last_updated
            """;
        await projection.ReadyAsync(_stop.Token);
        await using var transaction = await connection.BeginTransactionAsync(_stop.Token);
        await projection.ApplyAsync(transaction, page, _stop.Token);
        await SkippedEvents.NoteAsync(transaction, ProgressionOf(generation), page, projection.TakeLacking(), _stop.Token);
        // Locked until the page is committed: nobody changes over in between. Not before: a transaction that has written something holds
        // up whoever reads the log.
        if (await ReadModelCatalog.GenerationAsync(connection, projection, _stop.Token, transaction) != generation)
            return false;
        await using var command = new NpgsqlCommand(progress, connection, transaction)
        {
            Parameters = { new() { Value = ProgressionOf(generation) }, new() { Value = page[^1].Sequence } },
        };
        await command.ExecuteNonQueryAsync(_stop.Token);
        await transaction.CommitAsync(_stop.Token);
        return true;
    }

    // What it had to pass over and was repaired. Looked for now and then: there is hardly ever any.
    private async Task<bool> TakeUpAsync(NpgsqlConnection connection, int generation)
    {
        if (_lookedForSkipped != 0 && Stopwatch.GetElapsedTime(_lookedForSkipped) < poll)
            return true;
        _lookedForSkipped = Stopwatch.GetTimestamp();
        var skipped = await SkippedEvents.ReadAsync(connection, ProgressionOf(generation), _stop.Token);
        if (skipped.Length == 0)
            return true;
        foreach (var row in (await reader.ReadPositionsAsync(skipped, new(), _stop.Token)).GroupBy(e => e.Sequence))
        {
            if (row.Any(e => e.Data is UnreadableEvent))
                continue;
            await using var transaction = await connection.BeginTransactionAsync(_stop.Token);
            await projection.TakeUpAsync(transaction, [.. row], _stop.Token);
            await SkippedEvents.ForgetAsync(transaction, ProgressionOf(generation), row.Key, _stop.Token);
            await SkippedEvents.NoteAsync(transaction, ProgressionOf(generation), [], projection.TakeLacking(), _stop.Token); // another one may stand behind it
            if (await ReadModelCatalog.GenerationAsync(connection, projection, _stop.Token, transaction) != generation)
                return false;
            await transaction.CommitAsync(_stop.Token);
            log.EventTakenUp(Name, row.Key);
        }
        return true;
    }

    private async Task<bool> TryLockAsync(NpgsqlConnection connection, int generation)
    {
        await using var command = new NpgsqlCommand("select pg_try_advisory_lock(hashtextextended($1, 7))", connection)
        {
            Parameters = { new() { Value = ProgressionOf(generation) } },
        };
        return (bool)(await command.ExecuteScalarAsync(_stop.Token))!;
    }

    private async Task<long> PositionAsync(NpgsqlConnection connection, int generation)
    {
        await using var command = new NpgsqlCommand("select last_seq_id from public.mt_event_progression where name = $1", connection)
        {
            Parameters = { new() { Value = ProgressionOf(generation) } },
        };
        return await command.ExecuteScalarAsync(_stop.Token) as long? ?? 0;
    }

    // Until a commit that is news is heard of, or the time has come for the others, and for those of applications that do not tell.
    private async Task WaitAsync()
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        timeout.CancelAfter(poll);
        try
        {
            await _wake.Reader.ReadAsync(timeout.Token);
        }
        catch (OperationCanceledException) when (!_stop.IsCancellationRequested)
        {
            // Time to look.
        }
    }

    public async Task WaitForAsync(CancellationToken cancel)
    {
        long target;
        await using (var command = source.CreateCommand("select coalesce(max(seq_id), 0) from public.mt_events where not is_archived"))
            target = (long)(await command.ExecuteScalarAsync(cancel))!;
        while (true)
        {
            await using (var connection = await source.OpenConnectionAsync(cancel))
                if (await ReadModelCatalog.GenerationAsync(connection, projection, cancel) is { } generation
                    && await PositionAsync(connection, generation) >= target)
                    return;
            Wake();
            await Task.Delay(10, cancel);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }
}
