using EventMail.Host.Listeners;

namespace EventMail.Host.Composition;

/// <summary>The server's services, built by hand and in order; disposed in the reverse.</summary>
public sealed class EventMailServices : IAsyncDisposable
{
    private EventMailServices(IReadOnlyList<ListenerSpec> listeners) => Listeners = listeners;

    /// <summary>What the server listens to.</summary>
    public IReadOnlyList<ListenerSpec> Listeners { get; }

    public static Task<EventMailServices> StartAsync(HostContext host, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        host.Logs.CreateLogger(nameof(EventMailServices));
        return Task.FromResult(new EventMailServices([]));
    }

    /// <summary>Called when all sessions have ended and before the database stops.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
