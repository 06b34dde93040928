namespace EventMail.EventStore;

/// <summary>
/// Commits, told to subscribers synchronously and in commit order, own ones before the callers' tasks complete. Handlers must be
/// quick and must not wait for the executor; one that throws is logged and stays subscribed. Thread-safe.
/// </summary>
public sealed class CommitFeed
{
    internal CommitFeed() { }

    /// <summary>Calls <paramref name="handler"/> for every later commit until the subscription is disposed.</summary>
    public IDisposable Subscribe(Action<CommitBatch> handler) => throw new NotSupportedException();
}
