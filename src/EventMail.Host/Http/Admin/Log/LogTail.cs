using System.Runtime.CompilerServices;
using System.Threading.Channels;
using EventMail.EventStore;
using EventMail.Projections;
using Stopwatch = System.Diagnostics.Stopwatch;

namespace EventMail.Host.Http.Admin.Log;

/// <summary>
/// The log from a position on, and then as it grows: in its order, without gaps, each event once. Nothing waits in memory for a slow reader:
/// it is behind, and its next page is read when it asks for it. Thread-safe.
/// </summary>
internal sealed class LogTail(EventLog log)
{
    /// <summary>Events of a page at most, looked at whether they match or not.</summary>
    private const int PageSize = 500;

    private const int RememberedStreams = 20_000;

    private readonly BoundedCache<StreamKey, string> _kinds = new(RememberedStreams);

    /// <summary>Up to where the log is complete now.</summary>
    public Task<long> EndAsync(CancellationToken cancel) => log.Reader.EndAsync(cancel);

    /// <summary>Pages behind a position: what matches, and the position that the log is looked at up to. After each <paramref name="idle"/> without any, an empty one.</summary>
    public async IAsyncEnumerable<(IReadOnlyList<LogEntry> Entries, long Position)> FollowAsync(
        long after, LogFilter filter, TimeSpan idle, [EnumeratorCancellation] CancellationToken cancel)
    {
        var wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
        using var own = log.Executor.Feed.Subscribe(_ => wake.Writer.TryWrite(true));
        using var others = log.Executor.Feed.SubscribeMoves(_ => wake.Writer.TryWrite(true));
        for (var told = Stopwatch.GetTimestamp(); ;)
        {
            var page = new List<StoredEvent>();
            var (seen, end) = (0, await log.Reader.EndAsync(cancel));
            await foreach (var e in log.Reader.ReadBetweenAsync(after, end, cancel))
            {
                after = e.Sequence;
                if (filter.MatchesEvent(e))
                    page.Add(e);
                if (++seen < PageSize || !e.EndsRow)
                    continue;
                yield return (await TellAsync(page, filter, cancel), after);
                (page, seen, told) = ([], 0, Stopwatch.GetTimestamp());
            }
            after = Math.Max(after, end);
            // A log that grows all the time wakes it all the time: the reader is told in time, also where nothing of it matches.
            if (page.Count > 0 || Stopwatch.GetElapsedTime(told) >= idle)
            {
                yield return (await TellAsync(page, filter, cancel), after);
                told = Stopwatch.GetTimestamp();
            }
            var left = idle - Stopwatch.GetElapsedTime(told);
            if (await WokenAsync(wake.Reader, left > TimeSpan.Zero ? left : TimeSpan.Zero, cancel))
                continue;
            yield return ([], after);
            told = Stopwatch.GetTimestamp();
        }
    }

    /// <summary>One entry; null when nothing stands at the position.</summary>
    public async Task<LogEntry?> FindAsync(long position, CancellationToken cancel)
    {
        var row = new List<StoredEvent>();
        await foreach (var e in log.Reader.ReadBetweenAsync(position - 1, position, cancel))
            row.Add(e);
        return (await TellAsync(row, new(null, null, null), cancel)).SingleOrDefault();
    }

    private static async Task<bool> WokenAsync(ChannelReader<bool> wake, TimeSpan idle, CancellationToken cancel)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        timeout.CancelAfter(idle);
        try
        {
            await wake.ReadAsync(timeout.Token);
            return true;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return false;
        }
    }

    private async Task<IReadOnlyList<LogEntry>> TellAsync(List<StoredEvent> events, LogFilter filter, CancellationToken cancel)
    {
        var unknown = events.Select(e => e.Stream).Where(stream => !_kinds.TryGet(stream, out _)).Distinct().ToList();
        if (unknown.Count > 0)
            await LearnAsync(unknown, cancel);
        var entries = new List<LogEntry>(events.Count);
        foreach (var row in events.GroupBy(e => e.Sequence))
        {
            var e = row.First();
            var kind = _kinds.TryGet(e.Stream, out var known) ? known : "";
            if (filter.MatchesKind(kind))
                entries.Add(new(e, kind) { Parts = [.. row] });
        }
        return entries;
    }

    private async Task LearnAsync(List<StreamKey> streams, CancellationToken cancel)
    {
        await using var command = log.DataSource.CreateCommand("""
            select tenant_id, id, coalesce(type, '') from public.mt_streams
            where (tenant_id, id) in (select * from unnest($1::varchar[], $2::uuid[]))
            """);
        command.Parameters.Add(new() { Value = streams.Select(stream => stream.Tenant).ToArray() });
        command.Parameters.Add(new() { Value = streams.Select(stream => stream.Id).ToArray() });
        await using var row = await command.ExecuteReaderAsync(cancel);
        while (await row.ReadAsync(cancel))
            _kinds.Set(new(row.GetString(0), row.GetGuid(1)), row.GetString(2));
    }
}
