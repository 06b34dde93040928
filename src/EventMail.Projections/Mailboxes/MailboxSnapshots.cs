using System.Threading.Channels;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EventMail.Projections.Mailboxes;

/// <summary>
/// Persists views behind the commits, one at a time, so that opening a mailbox reads its segments and a short tail of its stream.
/// Nothing depends on it but that time. Thread-safe.
/// </summary>
internal sealed class MailboxSnapshots : IAsyncDisposable
{
    /// <summary>Mailboxes whose events are counted; the others' tails are found when they are opened.</summary>
    public const int MaxTracked = 50_000;

    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    private sealed class Tracked
    {
        public long Events;
        public long ChangedAt;
        public bool Queued;
        public bool Deleted;

        // What the segments hold, if this node knows: only chunks that differ from it are written.
        public PersistedView? Persisted;
    }

    private readonly NpgsqlDataSource _source;
    private readonly CommandExecutor _executor;
    private readonly MailboxViews _views;
    private readonly MailboxOptions _options;
    private readonly ILogger _log;
    private readonly Dictionary<StreamKey, Tracked> _tracked = [];
    private readonly Channel<StreamKey> _due = Channel.CreateUnbounded<StreamKey>(new() { SingleReader = true });
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _writing;
    private readonly Task _watching;

    public MailboxSnapshots(
        NpgsqlDataSource source, CommandExecutor executor, MailboxViews views, MailboxOptions options, ILogger log)
    {
        (_source, _executor, _views, _options, _log) = (source, executor, views, options, log);
        _writing = Task.Run(WriteDueAsync);
        _watching = Task.Run(WatchQuietAsync);
    }

    /// <summary>Mailboxes whose views are persisted since the start, for tests and statistics.</summary>
    public long Written { get; private set; }

    public void OnCommit(StreamChange change)
    {
        lock (_tracked)
        {
            var tracked = Track(change.Key);
            tracked.Events += change.Events.Count;
            tracked.ChangedAt = Environment.TickCount64;
            tracked.Deleted = ((MailboxState)change.After).Deleted;
            if (tracked.Deleted || tracked.Events >= _options.SnapshotEvents)
                Queue(change.Key, tracked);
        }
    }

    /// <summary>A view was loaded from segments, this many events before the end of the stream.</summary>
    public void OnLoaded(StreamKey key, MailboxView persisted, long tail)
    {
        lock (_tracked)
        {
            var tracked = Track(key);
            (tracked.Persisted, tracked.Events) = (new(persisted), tail);
            if (tail >= _options.SnapshotEvents)
                Queue(key, tracked);
        }
    }

    private Tracked Track(StreamKey key)
    {
        if (_tracked.TryGetValue(key, out var tracked))
            return tracked;
        if (_tracked.Count >= MaxTracked)
        {
            foreach (var (other, state) in _tracked)
            {
                if (!state.Queued)
                    _tracked.Remove(other);
            }
        }
        return _tracked[key] = new();
    }

    private void Queue(StreamKey key, Tracked tracked)
    {
        if (tracked.Queued)
            return;
        tracked.Queued = true;
        _due.Writer.TryWrite(key);
    }

    private async Task WatchQuietAsync()
    {
        using var timer = new PeriodicTimer(_options.SnapshotQuiet / 2);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                var quiet = Environment.TickCount64 - (long)_options.SnapshotQuiet.TotalMilliseconds;
                lock (_tracked)
                {
                    foreach (var (key, tracked) in _tracked)
                    {
                        if (tracked.Events >= _options.SnapshotQuietEvents && tracked.ChangedAt <= quiet)
                            Queue(key, tracked);
                    }
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }

    private async Task WriteDueAsync()
    {
        try
        {
            await foreach (var key in _due.Reader.ReadAllAsync(_stop.Token))
                await WriteAsync(key);
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }

    private async Task WriteAsync(StreamKey key)
    {
        Tracked? tracked;
        lock (_tracked)
        {
            if (!_tracked.TryGetValue(key, out tracked))
                return;
            tracked.Queued = false;
        }
        try
        {
            if (tracked.Deleted)
                await DeleteAsync(key);
            else
                await WriteAsync(key, tracked);
        }
        catch (Exception e) when (!_stop.IsCancellationRequested)
        {
            _log.SnapshotFailed(e, key);
            await Task.Delay(RetryDelay, _stop.Token);
        }
    }

    private async Task WriteAsync(StreamKey key, Tracked tracked)
    {
        var state = await _views.LoadAsync(key, _stop.Token);
        if (!state.Exists)
            return;
        PersistedView? persisted;
        lock (_tracked)
            persisted = tracked.Persisted;
        var written = false;
        await using (var connection = await _source.OpenConnectionAsync(_stop.Token))
        {
            if (persisted is not null)
                written = await MailboxSnapshotRows.ReplaceAsync(connection, key, persisted, state, _stop.Token);
            // Another node wrote another one, or nothing is known of it.
            if (!written)
                written = await MailboxSnapshotRows.OverwriteAsync(connection, key, state, _stop.Token);
        }
        lock (_tracked)
        {
            tracked.Persisted = written ? new(state.View!) : null;
            tracked.Events = _executor.TryGetState(key, out var now) ? now.Version - state.Version : 0;
        }
        if (!written)
            return;
        Written++;
        _log.SnapshotWritten(key, state.Version, state.View!.Count);
    }

    private async Task DeleteAsync(StreamKey key)
    {
        await using (var connection = await _source.OpenConnectionAsync(_stop.Token))
            await MailboxSnapshotRows.DeleteAsync(connection, key, _stop.Token);
        lock (_tracked)
            _tracked.Remove(key);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_writing, _watching);
        _stop.Dispose();
    }
}
