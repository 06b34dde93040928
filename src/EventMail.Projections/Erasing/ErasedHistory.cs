using EventMail.EventStore;
using EventMail.Projections.History.Index;
using Npgsql;
using Stopwatch = System.Diagnostics.Stopwatch;

namespace EventMail.Projections.Erasing;

/// <summary>
/// The index of the log after a person's key is gone: what it says of his events is made anew of what can still be read, so that it is what a fold of
/// the log makes, and a verification finds nothing.
/// </summary>
public sealed class ErasedHistory(EventLog log)
{
    // Positions that are read at once.
    private const long Stretch = 100_000;

    // Whoever follows the log may have events in memory as they were before. If the index stands still for so long, nobody does.
    private static readonly TimeSpan Stillness = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);

    private readonly HistoryIndex _index = new(log.DataSource);

    /// <param name="account">Its id.</param>
    public Task MakeAnewAsync(string account, CancellationToken cancel) => MakeAnewAsync(account, new() { Tenant = account }, cancel);

    /// <summary>Of a day's logins of names that are no account's.</summary>
    public Task MakeStrangersAnewAsync(DateOnly day, CancellationToken cancel)
    {
        var stream = SubjectErasure.StreamOf(day);
        return MakeAnewAsync(stream.Tenant, new() { Streams = [stream] }, cancel);
    }

    private async Task MakeAnewAsync(string tenant, EventFilter whose, CancellationToken cancel)
    {
        if (await CaughtUpAsync(await log.Reader.EndAsync(cancel).ConfigureAwait(false), cancel).ConfigureAwait(false))
            await MakeAnewAsync(ReadModelSchema.Name, _index.PositionAsync, tenant, whose, cancel).ConfigureAwait(false);
        await MakeAnewAsync(ReadModelSchema.Previous, _index.PreviousPositionAsync, tenant, whose, cancel).ConfigureAwait(false);
    }

    private async Task MakeAnewAsync(string schema, Func<CancellationToken, Task<long>> standsAt, string tenant, EventFilter whose, CancellationToken cancel)
    {
        if (await standsAt(cancel).ConfigureAwait(false) == 0)
            return;
        var account = (await _index.KeyAsync(cancel).ConfigureAwait(false)).Account(tenant);
        await using var connection = await log.DataSource.OpenConnectionAsync(cancel).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(cancel).ConfigureAwait(false);
        // Who follows the log waits meanwhile: the position stands.
        await using (var alone = new NpgsqlCommand(
            $"set local search_path = {schema}, public; lock table {HistoryTables.Events} in share row exclusive mode", connection, transaction))
            await alone.ExecuteNonQueryAsync(cancel).ConfigureAwait(false);
        var position = await standsAt(cancel).ConfigureAwait(false);
        var projection = new HistoryIndexProjection();
        for (var after = 0L; after < position; after += Stretch)
        {
            var events = await log.Reader.ReadStretchAsync(after, Math.Min(after + Stretch, position), whose, cancel).ConfigureAwait(false);
            if (events.Count == 0)
                continue;
            await using (var delete = new NpgsqlCommand($"delete from {HistoryTables.Events} where account = $1 and seq = any($2)", connection, transaction))
            {
                delete.Parameters.Add(new NpgsqlParameter<long> { TypedValue = account });
                delete.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. events.Select(e => e.Sequence)] });
                await delete.ExecuteNonQueryAsync(cancel).ConfigureAwait(false);
            }
            await projection.ApplyAsync(transaction, events, cancel).ConfigureAwait(false);
        }
        await transaction.CommitAsync(cancel).ConfigureAwait(false);
    }

    // False: there is no index.
    private async Task<bool> CaughtUpAsync(long end, CancellationToken cancel)
    {
        var (at, since) = (await _index.PositionAsync(cancel).ConfigureAwait(false), Stopwatch.GetTimestamp());
        while (at > 0 && at < end && Stopwatch.GetElapsedTime(since) < Stillness)
        {
            await Task.Delay(Poll, cancel).ConfigureAwait(false);
            var now = await _index.PositionAsync(cancel).ConfigureAwait(false);
            if (now > at)
                (at, since) = (now, Stopwatch.GetTimestamp());
        }
        return at > 0;
    }
}
