using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EventMail.EventStore;

/// <summary>Follows what other nodes committed: reads the events that this node's states lack and publishes them.</summary>
internal sealed class RemoteCommits(
    NpgsqlDataSource source, EventReader reader, StateLoader states, Publisher publisher,
    IReadOnlyDictionary<string, StreamKind> kinds, ILogger log) : IAsyncDisposable
{
    // Streams read in one statement.
    private const int PageSize = 500;

    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(200);

    /// <summary>Streams that moved, or (Streams = null) a stretch of the log whose streams are to be found.</summary>
    private readonly record struct Work(
        IReadOnlyList<CommitNotice.Stream>? Streams, long After, long UpTo, IReadOnlyList<StreamKey>? Keys, TaskCompletionSource? Done = null);

    private readonly Channel<Work> _work = Channel.CreateUnbounded<Work>(new() { SingleReader = true });
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    public void Start() => _running = Task.Run(RunAsync);

    public void Follow(CommitNotice notice) =>
        _work.Writer.TryWrite(new(notice.Streams, notice.FirstSequence - 1, notice.LastSequence, null));

    /// <summary>Whatever the log holds above a position.</summary>
    public void FollowSince(long sequence) => _work.Writer.TryWrite(new(null, sequence, long.MaxValue, null));

    public void CatchUpLater(IReadOnlyList<StreamKey> keys) => _work.Writer.TryWrite(new(null, 0, 0, keys));

    /// <summary>Ends when everything that was heard of before the call is published.</summary>
    public Task DrainAsync(CancellationToken cancel)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return _work.Writer.TryWrite(new(null, 0, 0, [], done)) ? done.Task.WaitAsync(cancel) : Task.CompletedTask;
    }

    private async Task RunAsync()
    {
        try
        {
            while (await _work.Reader.WaitToReadAsync(_stop.Token))
            {
                var works = new List<Work>();
                while (_work.Reader.TryRead(out var work))
                    works.Add(work);
                while (!await TryFollowAsync(works))
                    await Task.Delay(RetryDelay, _stop.Token);
                foreach (var work in works)
                    work.Done?.SetResult();
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }

    private async Task<bool> TryFollowAsync(List<Work> works)
    {
        try
        {
            var behind = new HashSet<StreamKey>();
            var followed = new Dictionary<StreamKey, CommitNotice.Stream>();
            var moved = new List<StreamMoved>();
            foreach (var work in works)
            {
                if (work.Keys is not null)
                {
                    behind.UnionWith(work.Keys);
                    continue;
                }
                foreach (var stream in work.Streams ?? await StreamsAsync(work.After, work.UpTo))
                {
                    Sort(stream, behind, followed);
                    moved.Add(new(stream.Kind, stream.Key, stream.Wide));
                }
            }
            foreach (var page in behind.Chunk(PageSize))
                await CatchUpAsync(page);
            foreach (var stream in followed.Values)
                await TryFollowAsync(stream);
            // Last, so that whoever looks finds it.
            if (moved.Count > 0)
                publisher.Announce(moved);
            return true;
        }
        catch (Exception e) when (Faults.IsLoss(e))
        {
            log.CatchUpFailed(e);
            return false;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // Not to be repeated: what cannot be read now is read, and told, when a command needs it.
            log.CatchUpFailed(e);
            return true;
        }
    }

    // One stream that cannot be read must not keep the others behind.
    private async Task CatchUpAsync(StreamKey[] keys)
    {
        try
        {
            await states.CatchUpAsync(keys, _stop.Token);
        }
        catch (Exception e) when (IsUnreadable(e))
        {
            if (keys.Length > 1)
            {
                foreach (var key in keys)
                    await CatchUpAsync([key]);
                return;
            }
            log.CatchUpFailed(e);
            publisher.Forget(keys[0]); // whoever needs it next loads it, and fails with the reason
        }
    }

    private async Task TryFollowAsync(CommitNotice.Stream stream)
    {
        try
        {
            await FollowAsync(stream);
        }
        catch (Exception e) when (IsUnreadable(e))
        {
            log.CatchUpFailed(e);
        }
    }

    private static bool IsUnreadable(Exception e) => e is not OperationCanceledException && !Faults.IsLoss(e);

    private void Sort(CommitNotice.Stream stream, HashSet<StreamKey> behind, Dictionary<StreamKey, CommitNotice.Stream> followed)
    {
        if (publisher.Notice(stream.Key, stream.ToVersion))
            behind.Add(stream.Key);
        else if (kinds.TryGetValue(stream.Kind, out var kind) && kind.FollowRemote && publisher.Untold(stream.Key, stream.FromVersion) > 0)
            followed[stream.Key] = followed.TryGetValue(stream.Key, out var known)
                ? known with { FromVersion = Math.Min(known.FromVersion, stream.FromVersion) }
                : stream;
    }

    // A followed stream that is not cached, or was loaded before the notice came: its whole history, since its followers want the
    // state before as well.
    private async Task FollowAsync(CommitNotice.Stream stream)
    {
        while (publisher.Untold(stream.Key, stream.FromVersion) is > 0 and var upTo
            && await ReadFollowedAsync(stream, upTo) is { } change && !publisher.TryPublishFollowed(change, upTo))
            await publisher.SettledAsync().WaitAsync(_stop.Token);
    }

    private async Task<StreamChange?> ReadFollowedAsync(CommitNotice.Stream stream, long upTo)
    {
        var kind = kinds[stream.Kind];
        var before = new LoadedState(kind.Empty(stream.Key), 0);
        var after = before;
        var events = new List<StoredEvent>();
        await using var connection = await source.OpenConnectionAsync(_stop.Token);
        await foreach (var e in reader.ReadTailsAsync(connection, [stream.Key], [0], _stop.Token))
        {
            if (e.Version > upTo)
                break;
            after = EventReader.Fold(kind, after, e);
            if (e.Version < stream.FromVersion)
                before = after;
            else
                events.Add(e);
        }
        return events.Count > 0
            ? new(kind, stream.Key, before.State, after.State, before.Version + 1, after.Version, events)
            : null;
    }

    private async Task<List<CommitNotice.Stream>> StreamsAsync(long after, long upTo)
    {
        const string sql = """
            select s.type, s.tenant_id, s.id, e.first, e.last
            from (select tenant_id, stream_id, min(version) as first, max(version) as last from public.mt_events
              where seq_id > $1 and seq_id <= $2 group by tenant_id, stream_id) e
            join public.mt_streams s on s.tenant_id = e.tenant_id and s.id = e.stream_id
            where s.type is not null
            """;
        await using var command = source.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = after });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = upTo });
        await using var rows = await command.ExecuteReaderAsync(_stop.Token);
        var streams = new List<CommitNotice.Stream>();
        while (await rows.ReadAsync(_stop.Token))
            streams.Add(new(rows.GetString(0), new(rows.GetString(1), rows.GetGuid(2)), rows.GetInt64(3), rows.GetInt64(4), Wide: true));
        return streams;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }
}
