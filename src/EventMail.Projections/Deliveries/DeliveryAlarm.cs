using System.Collections.Immutable;
using EventMail.Domain.Deliveries;
using EventMail.EventStore;
using Microsoft.Extensions.Logging;

namespace EventMail.Projections.Deliveries;

/// <summary>
/// Wakes whoever delivers when something may be due: by the commits of this node, the notices of others, and a timer for the next wait
/// that ends. At intervals it also looks for claims of nodes that died. Thread-safe.
/// </summary>
internal sealed class DeliveryAlarm : IAsyncDisposable
{
    private readonly CommitFeed _feed;
    private readonly DeliveryQueue _queue;
    private readonly DeliveryOptions _options;
    private readonly ILogger _log;
    private readonly Func<IReadOnlyCollection<Guid>, CancellationToken, Task> _giveUpHeld;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly HashSet<Guid> _missing = [];
    private ImmutableArray<Action> _handlers = [];
    private IDisposable[] _subscriptions = [];
    private ITimer? _timer;
    private DateTimeOffset _armed = DateTimeOffset.MaxValue;
    private Task _watching = Task.CompletedTask;
    private int _disposed;

    /// <param name="giveUpHeld">Attempts of nodes that died, and that no claim will meet.</param>
    public DeliveryAlarm(
        CommitFeed feed, DeliveryQueue queue, DeliveryOptions options, ILogger log, Func<IReadOnlyCollection<Guid>, CancellationToken, Task> giveUpHeld) =>
        (_feed, _queue, _options, _log, _giveUpHeld) = (feed, queue, options, log, giveUpHeld);

    public IDisposable Subscribe(Action wake)
    {
        ImmutableInterlocked.Update(ref _handlers, (all, added) => all.Add(added), wake);
        lock (_gate)
        {
            if (_timer is null)
            {
                _timer = _options.Clock.CreateTimer(_ => Ring(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                _subscriptions = [_feed.Subscribe(OnCommit), _feed.SubscribeMoves(OnMoved)];
                _watching = Task.Run(WatchAsync);
            }
        }
        return new Subscription(() => ImmutableInterlocked.Update(ref _handlers, (all, gone) => all.Remove(gone), wake));
    }

    /// <summary>Something is due at a time, perhaps now.</summary>
    public void At(DateTimeOffset time)
    {
        lock (_gate)
        {
            if (_timer is null || time >= _armed)
                return;
            _armed = time;
            var wait = time - _options.Clock.GetUtcNow();
            // Beyond that the poll comes first.
            _timer.Change(wait > _options.Poll ? _options.Poll : wait > TimeSpan.Zero ? wait : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }
    }

    private void Ring()
    {
        lock (_gate)
            _armed = DateTimeOffset.MaxValue;
        foreach (var handler in _handlers)
            handler();
    }

    private void OnCommit(CommitBatch batch)
    {
        var claims = FirstClaim.In(batch);
        foreach (var change in batch.Changes)
        {
            if (change.EndsHalt())
                At(_options.Clock.GetUtcNow());
            if (change is not { Before: DeliveryState before, After: DeliveryState { Held: false } after })
                continue;
            var claim = claims.GetValueOrDefault(change.Key);
            foreach (var (old, destination) in before.ChangesTo(after))
                if (destination is { UnderWay: null } && claim?.Domains.Contains(destination.Domain) is not true && (before.Held || old?.Due != destination.Due))
                    At(destination.Due);
        }
    }

    private void OnMoved(IReadOnlyList<StreamMoved> moved)
    {
        foreach (var stream in moved)
        {
            if (stream.Kind != DeliveryKind.Instance.Name || !stream.Wide)
                continue;
            At(_options.Clock.GetUtcNow());
            return;
        }
    }

    private async Task WatchAsync()
    {
        try
        {
            while (true)
            {
                var wait = await LookAsync() ? _options.DeadAfter : _options.Poll;
                await Task.Delay(wait, _options.Clock, _stop.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }

    // A node is dead when it was missing at the last look, too: whose connection has just been lost gets another.
    private async Task<bool> LookAsync()
    {
        try
        {
            var missing = new HashSet<Guid>();
            foreach (var (node, isThere) in await _queue.OwnersAsync(_stop.Token))
                if (!isThere)
                    missing.Add(node);
            Guid[] dead = [.. missing.Intersect(_missing)];
            await _giveUpHeld(dead, _stop.Token);
            foreach (var node in dead)
                if (await _queue.FreeAsync(node, _stop.Token) is > 0 and var rows)
                    _log.ClaimsFreed(node, rows);
            _missing.Clear();
            _missing.UnionWith(missing);
            At(_options.Clock.GetUtcNow());
            return missing.Count > 0;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            _log.WatchFailed(e);
            return true;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        foreach (var subscription in _subscriptions)
            subscription.Dispose();
        await _stop.CancelAsync();
        await _watching;
        if (_timer is not null)
            await _timer.DisposeAsync();
        _stop.Dispose();
    }

    private sealed class Subscription(Action end) : IDisposable
    {
        public void Dispose() => end();
    }
}
