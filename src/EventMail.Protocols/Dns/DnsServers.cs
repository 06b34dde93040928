using System.Collections.Concurrent;
using System.Net;
using Microsoft.Extensions.Logging;

namespace EventMail.Protocols.Dns;

/// <summary>Whom to ask and how, as it holds now.</summary>
/// <param name="TrustAd">The AD bit of their answers is believed.</param>
internal sealed record ServerSet(IReadOnlyList<IPEndPoint> Servers, TimeSpan Timeout, int Attempts, bool TrustAd, bool Rotate, bool TcpOnly);

/// <summary>The configured servers, or those of resolv.conf, which is read again when it changes. Thread-safe.</summary>
internal sealed class DnsServers
{
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(5);
    public const int DefaultAttempts = 2;

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private readonly Lock _reading = new();
    private readonly DnsResolverOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly ConcurrentDictionary<IPEndPoint, DateTimeOffset> _silentUntil = new();
    private (DateTime Written, long Length) _seen;
    private long _looked;
    private int _turn;

    private volatile ServerSet _current;

    public DnsServers(DnsResolverOptions options, TimeProvider time, ILogger log)
    {
        (_options, _time, _log) = (options, time, log);
        _seen = Look();
        _looked = time.GetTimestamp();
        _current = Read();
    }

    /// <param name="changed">What was learnt from the servers before must be forgotten.</param>
    public ServerSet Current(out bool changed)
    {
        changed = false;
        if (_options.Servers.Count > 0 || _time.GetElapsedTime(Volatile.Read(ref _looked)) < LookEvery)
            return _current;
        lock (_reading)
        {
            Volatile.Write(ref _looked, _time.GetTimestamp());
            var found = Look();
            if (found == _seen)
                return _current;
            _seen = found;
            _current = Read();
            _silentUntil.Clear();
            changed = true;
            _log.ServersChanged(_options.ResolvConf, string.Join(", ", _current.Servers));
            return _current;
        }
    }

    /// <summary>In the order to ask them: those that were silent lately at the end.</summary>
    public IReadOnlyList<IPEndPoint> InOrder(ServerSet set)
    {
        var count = set.Servers.Count;
        if (count == 1)
            return set.Servers;
        var first = set.Rotate ? (int)((uint)Interlocked.Increment(ref _turn) % count) : 0;
        var now = _time.GetUtcNow();
        return [.. Enumerable.Range(0, count).Select(i => set.Servers[(first + i) % count])
            .OrderBy(server => _silentUntil.TryGetValue(server, out var until) && until > now ? 1 : 0)];
    }

    public void NoteSilence(IPEndPoint server, string reason)
    {
        var until = _time.GetUtcNow() + _options.AvoidSilentFor;
        if (_silentUntil.TryAdd(server, until))
            _log.ServerSilent(server, reason);
        else
            _silentUntil[server] = until;
    }

    public void NoteAnswer(IPEndPoint server)
    {
        if (!_silentUntil.IsEmpty && _silentUntil.TryRemove(server, out _))
            _log.ServerBack(server);
    }

    private (DateTime, long) Look()
    {
        if (_options.Servers.Count > 0)
            return default;
        try
        {
            // A link (systemd-resolved's, resolvconf's) is as old as what it leads to.
            var file = new FileInfo(_options.ResolvConf);
            var target = file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? file;
            return target.Exists ? (target.LastWriteTimeUtc, target.Length) : default;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return default; // not there, or not to be read: as if it were empty
        }
    }

    private ServerSet Read()
    {
        var fromFile = _options.Servers.Count == 0;
        var conf = fromFile ? ResolvConf.Parse(ReadFile()) : new();
        var servers = fromFile ? conf.Servers : _options.Servers;
        var trustAd = _options.TrustAd switch
        {
            TrustAd.Always => true,
            TrustAd.Never => false,
            _ => conf.TrustAd || servers.All(server => IPAddress.IsLoopback(server.Address)),
        };
        return new(
            servers, _options.Timeout ?? conf.Timeout ?? DefaultTimeout, _options.Attempts ?? conf.Attempts ?? DefaultAttempts, trustAd,
            conf.Rotate, conf.TcpOnly);
    }

    private string ReadFile()
    {
        try
        {
            return File.ReadAllText(_options.ResolvConf);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // resolv.conf(5): as if it were empty.
            _log.NoResolvConf(_options.ResolvConf, error.Message);
            return "";
        }
    }
}
