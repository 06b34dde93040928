using System.Collections.Concurrent;

namespace EventMail.Protocols.Wire;

/// <summary>
/// One clock for all connections' time-outs, to a second's precision: cheaper than a timer per read.
/// </summary>
internal sealed class Deadlines
{
    public static readonly Deadlines Shared = new();

    private readonly ConcurrentDictionary<MailConnection, byte> _connections = new();
    private readonly Timer _timer;

    private Deadlines() => _timer = new Timer(_ => Check(), null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));

    public void Add(MailConnection connection) => _connections.TryAdd(connection, 0);

    public void Remove(MailConnection connection) => _connections.TryRemove(connection, out _);

    private void Check()
    {
        var now = Environment.TickCount64;
        foreach (var (connection, _) in _connections)
        {
            connection.CheckDeadlines(now);
        }

        GC.KeepAlive(_timer);
    }
}
