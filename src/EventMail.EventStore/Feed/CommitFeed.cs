using System.Collections.Immutable;
using Microsoft.Extensions.Logging;

namespace EventMail.EventStore;

/// <summary>
/// Commits, told to subscribers synchronously and in commit order, own ones before the callers' tasks complete. Handlers must be
/// quick and must not wait for the executor; one that throws is logged and stays subscribed. Thread-safe.
/// </summary>
public sealed class CommitFeed
{
    private readonly ILogger _log;
    private ImmutableArray<Action<CommitBatch>> _handlers = [];
    private ImmutableArray<Action<IReadOnlyList<StreamMoved>>> _listeners = [];

    internal CommitFeed(ILogger log) => _log = log;

    /// <summary>Calls <paramref name="handler"/> for every later commit until the subscription is disposed.</summary>
    public IDisposable Subscribe(Action<CommitBatch> handler)
    {
        ImmutableInterlocked.Update(ref _handlers, (all, added) => all.Add(added), handler);
        return new Subscription(() => ImmutableInterlocked.Update(ref _handlers, (all, gone) => all.Remove(gone), handler));
    }

    /// <summary>
    /// Calls <paramref name="listener"/> with the streams to which another node has committed, also those that this node does not
    /// hold and whose events nobody is told of; those that it holds have moved by then.
    /// </summary>
    public IDisposable SubscribeMoves(Action<IReadOnlyList<StreamMoved>> listener)
    {
        ImmutableInterlocked.Update(ref _listeners, (all, added) => all.Add(added), listener);
        return new Subscription(() => ImmutableInterlocked.Update(ref _listeners, (all, gone) => all.Remove(gone), listener));
    }

    internal void Publish(CommitBatch batch)
    {
        foreach (var handler in _handlers)
            Tell(handler, batch);
    }

    internal void Announce(IReadOnlyList<StreamMoved> moved)
    {
        foreach (var listener in _listeners)
            Tell(listener, moved);
    }

    private void Tell<T>(Action<T> handler, T news)
    {
        try
        {
            handler(news);
        }
        catch (Exception e)
        {
            // What is committed is committed: one follower's fault stops neither the others nor the callers.
            _log.FollowerFailed(e);
        }
    }

    private sealed class Subscription(Action end) : IDisposable
    {
        public void Dispose() => end();
    }
}
