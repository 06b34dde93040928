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

    internal CommitFeed(ILogger log) => _log = log;

    /// <summary>Calls <paramref name="handler"/> for every later commit until the subscription is disposed.</summary>
    public IDisposable Subscribe(Action<CommitBatch> handler)
    {
        ImmutableInterlocked.Update(ref _handlers, (all, added) => all.Add(added), handler);
        return new Subscription(this, handler);
    }

    internal void Publish(CommitBatch batch)
    {
        foreach (var handler in _handlers)
        {
            try
            {
                handler(batch);
            }
            catch (Exception e)
            {
                // What is committed is committed: one follower's fault stops neither the others nor the callers.
                _log.FollowerFailed(e);
            }
        }
    }

    private sealed class Subscription(CommitFeed feed, Action<CommitBatch> handler) : IDisposable
    {
        public void Dispose() => ImmutableInterlocked.Update(ref feed._handlers, (all, gone) => all.Remove(gone), handler);
    }
}
