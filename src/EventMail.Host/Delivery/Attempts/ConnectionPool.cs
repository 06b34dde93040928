using System.Net;
using EventMail.Protocols.Smtp.Client;

namespace EventMail.Host.Delivery.Attempts;

/// <summary>Connections are alike when a message may use either.</summary>
/// <param name="Verified">
/// What its certificate was held against: names, or what decided instead of them. One that DANE takes for a domain proves nothing to the next
/// one that has the same host (RFC 7672 §3.2.2).
/// </param>
internal readonly record struct ConnectionKey(IPEndPoint Address, string Host, TlsRequirement Tls, string Policy, string Verified, string? User)
{
    public static ConnectionKey Of(RemoteHost host, ClientOptions options) => new(
        host.Address, host.Name, options.Tls.Requirement, options.Tls.Policy,
        $"{options.Tls.ServerName} {(options.Tls.Check is null ? string.Join(' ', options.Tls.Names) : options.Tls.CheckedBy)}",
        options.Credentials?.User);
}

/// <summary>Connections between two messages. Those that nobody takes again are ended in time. Thread-safe.</summary>
internal sealed class ConnectionPool : IAsyncDisposable
{
    private readonly TimeSpan _timeout;
    private readonly int _most;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    // By key, the last one in first: the others grow old and are ended.
    private readonly Dictionary<ConnectionKey, Stack<Idle>> _idle = [];
    private readonly HashSet<Task> _leaving = [];
    private readonly ITimer _timer;
    private int _count;
    private bool _closed;

    /// <param name="timeout">How long a connection waits.</param>
    /// <param name="most">How many wait.</param>
    public ConnectionPool(TimeSpan timeout, int most, TimeProvider time)
    {
        (_timeout, _most, _time) = (timeout, most, time);
        var period = TimeSpan.FromTicks(Math.Max(timeout.Ticks / 2, TimeSpan.FromMilliseconds(100).Ticks));
        _timer = time.CreateTimer(_ => EndOld(), null, period, period);
    }

    private readonly record struct Idle(SmtpClient Client, DateTimeOffset Since);

    public int Count
    {
        get
        {
            lock (_gate)
                return _count;
        }
    }

    /// <param name="domain">Of the recipients: a host may take only so many in a session.</param>
    public SmtpClient? Take(ConnectionKey key, string domain)
    {
        lock (_gate)
        {
            if (!_idle.TryGetValue(key, out var waiting))
                return null;
            var taken = waiting.FirstOrDefault(idle => idle.Client.Takes(domain)).Client;
            if (taken is not null)
                Keep(key, waiting, idle => idle.Client != taken);
            return taken;
        }
    }

    /// <summary>Takes the connection over: it waits for another message, or ends.</summary>
    public void Give(ConnectionKey key, SmtpClient client)
    {
        lock (_gate)
        {
            if (client.CanReuse && !_closed && _count < _most && _timeout > TimeSpan.Zero)
            {
                if (!_idle.TryGetValue(key, out var waiting))
                    _idle[key] = waiting = new();
                waiting.Push(new(client, _time.GetUtcNow()));
                _count++;
                return;
            }
        }
        Leave(client);
    }

    public async ValueTask DisposeAsync()
    {
        await _timer.DisposeAsync();
        List<Idle> all;
        lock (_gate)
        {
            _closed = true;
            all = [.. _idle.Values.SelectMany(waiting => waiting)];
            _idle.Clear();
            _count = 0;
        }
        foreach (var idle in all)
            Leave(idle.Client);
        Task[] leaving;
        lock (_gate)
            leaving = [.. _leaving];
        await Task.WhenAll(leaving);
    }

    private void EndOld()
    {
        List<SmtpClient> old = [];
        lock (_gate)
        {
            var since = _time.GetUtcNow() - _timeout;
            foreach (var (key, waiting) in _idle.ToList())
            {
                var count = old.Count;
                old.AddRange(waiting.Where(idle => idle.Since <= since).Select(idle => idle.Client));
                if (old.Count > count)
                    Keep(key, waiting, idle => idle.Since > since);
            }
        }
        old.ForEach(Leave);
    }

    private void Keep(ConnectionKey key, Stack<Idle> waiting, Func<Idle, bool> isKept)
    {
        var kept = waiting.Where(isKept).Reverse().ToList();
        _count -= waiting.Count - kept.Count;
        if (kept.Count > 0)
            _idle[key] = new(kept);
        else
            _idle.Remove(key);
    }

    // QUIT, without anybody waiting for its answer.
    private void Leave(SmtpClient client)
    {
        var leaving = client.QuitAsync();
        lock (_gate)
            _leaving.Add(leaving);
        _ = ForgetAsync();

        async Task ForgetAsync()
        {
            await leaving;
            lock (_gate)
                _leaving.Remove(leaving);
        }
    }
}
