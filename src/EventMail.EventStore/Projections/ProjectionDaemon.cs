namespace EventMail.EventStore;

/// <summary>Runs asynchronous projections: each on one node at a time, woken by commits, its position in mt_event_progression.</summary>
public sealed class ProjectionDaemon : IAsyncDisposable
{
    internal ProjectionDaemon() { }

    /// <summary>Waits until the projection has folded every event that was committed before the call.</summary>
    public Task WaitForAsync(string projectionName, CancellationToken cancel) => throw new NotSupportedException();

    public ValueTask DisposeAsync() => throw new NotSupportedException();
}
