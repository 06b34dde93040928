using System.Collections.Concurrent;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using Microsoft.Extensions.Logging;

namespace EventMail.Projections.Mailboxes;

/// <summary>The mailboxes that sessions of this node have open. Thread-safe.</summary>
internal sealed class LiveMailboxes(CommandExecutor executor, MailboxViews views, MailboxOptions options, ILogger log) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<StreamKey, LiveMailbox> _open = new();
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly HashSet<Task> _behind = [];

    /// <summary>A handle on the mailbox with its messages, caught up with other nodes; null when it is gone.</summary>
    public async Task<OpenMailbox?> OpenAsync(MailboxRef mailbox, CancellationToken cancel)
    {
        var key = mailbox.Key;
        // Followed from here on, so that no commit is missed while the view is loaded.
        var live = Enter(key);
        var entered = true;
        try
        {
            var state = await views.LoadAsync(key, cancel);
            if (!state.Exists)
                return null;
            live.Offer(state);
            // What was committed between the load and the offer found nobody to move: it is in the cache.
            while (executor.TryGetState(key, out var now) && now.Version > live.State!.Version)
            {
                state = await views.LoadAsync(key, cancel);
                if (!state.Exists)
                    return null;
                live.Offer(state);
            }
            var handle = new LiveHandle(this, live, mailbox);
            live.Add(handle);
            entered = false;
            return handle;
        }
        finally
        {
            if (entered)
                Leave(live);
        }
    }

    private LiveMailbox Enter(StreamKey key)
    {
        lock (_gate)
        {
            if (!_open.TryGetValue(key, out var live))
                _open[key] = live = new(key) { Hold = executor.Hold(key) };
            live.Users++;
            return live;
        }
    }

    private void Leave(LiveMailbox live)
    {
        lock (_gate)
        {
            if (--live.Users > 0)
                return;
            _open.TryRemove(live.Key, out _);
        }
        live.Hold!.Dispose();
    }

    public void Close(LiveHandle handle)
    {
        handle.Live.Remove(handle);
        Leave(handle.Live);
    }

    public MailboxState? StateOf(StreamKey key) => _open.TryGetValue(key, out var live) ? live.State : null;

    public void OnCommit(StreamChange change)
    {
        if (_open.TryGetValue(change.Key, out var live) && !live.Move(change))
            Behind(() => ReloadAsync(live));
    }

    private async Task ReloadAsync(LiveMailbox live) => live.Offer(await views.LoadAsync(live.Key, _stop.Token));

    public uint Claim(LiveMailbox live, uint upTo)
    {
        var first = live.Claim(upTo, out var moved);
        if (!moved)
            return first;
        lock (_gate)
        {
            if (live.ClaimPending)
                return first;
            live.ClaimPending = true;
            // Known here until it is written: the next session must not find unclaimed what this one was told of.
            live.Users++;
        }
        Behind(() => WriteClaimAsync(live));
        return first;
    }

    // Written behind, once for many: who loses it sees a message as \Recent twice, which RFC 3501 §2.3.2 allows.
    private async Task WriteClaimAsync(LiveMailbox live)
    {
        try
        {
            await Task.Delay(options.RecentClaimDelay, _stop.Token);
        }
        catch (OperationCanceledException)
        {
            // Closing: now or never.
        }
        lock (_gate)
            live.ClaimPending = false;
        try
        {
            await executor.ExecuteAsync(new ClaimRecentCommand(live.Key, live.FirstUnclaimed - 1), CancellationToken.None);
        }
        finally
        {
            Leave(live);
        }
    }

    private void Behind(Func<Task> work)
    {
        var task = Task.Run(async () =>
        {
            try
            {
                await work();
            }
            catch (Exception e)
            {
                if (!_stop.IsCancellationRequested)
                    log.BackgroundFailed(e);
            }
        });
        lock (_gate)
        {
            _behind.RemoveWhere(t => t.IsCompleted);
            _behind.Add(task);
        }
    }

    /// <summary>Writes the claims that are due.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        Task[] left;
        lock (_gate)
            left = [.. _behind];
        await Task.WhenAll(left);
        _stop.Dispose();
    }
}
