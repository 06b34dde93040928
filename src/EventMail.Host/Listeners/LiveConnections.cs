using EventMail.Protocols.Wire;

namespace EventMail.Host.Listeners;

/// <summary>The connections that are open, for those who look and for those who close one.</summary>
internal sealed class LiveConnections(ServerListeners listeners, CancellationToken stopping)
{
    /// <summary>How long a session that was asked to leave may take for its last words.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(15);

    /// <summary>The oldest first.</summary>
    public IReadOnlyList<MailConnection> All => [.. listeners.Connections.OrderBy(connection => connection.Facts.Since)];

    /// <summary>Asks a session to leave: it tells its client (421, BYE) as soon as its command allows, and is cut off after <see cref="Grace"/>.</summary>
    /// <returns>False when there is no such connection.</returns>
    public bool Close(string id)
    {
        if (listeners.Connections.FirstOrDefault(connection => connection.Details.Id == id) is not { } connection)
            return false;
        connection.Stop();
        _ = CutOffAsync(connection);
        return true;
    }

    private async Task CutOffAsync(MailConnection connection)
    {
        await Task.Delay(Grace, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // a server that stops cuts off all of them
        if (!stopping.IsCancellationRequested && listeners.Connections.Contains(connection))
            connection.Abort();
    }
}
