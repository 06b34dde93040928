using Microsoft.Extensions.Logging;

namespace EventMail.Protocols.Dns;

/// <summary>
/// A stub resolver (RFC 1034 §5.3.1): asks the configured recursive resolvers, remembers their answers by TTL, asks the same question
/// once however many wait for it. Thread-safe.
/// </summary>
public sealed class DnsResolver : IDnsSource, IDisposable
{
    private readonly DnsResolverOptions _options;
    private readonly ILogger _log;
    private readonly DnsServers _servers;
    private readonly DnsLookup _lookup;
    private readonly DnsCache _cache;
    private readonly SemaphoreSlim _turns;
    private readonly CancellationTokenSource _closing = new();
    private readonly Lock _starting = new();
    private readonly Dictionary<DnsKey, Task<DnsAnswer>> _underWay = [];

    // What the servers before said does not go into the cache any more.
    private int _era;

    public DnsResolver(DnsResolverOptions options, TimeProvider time, ILogger log)
    {
        (_options, _log) = (options, log);
        _servers = new(options, time, log);
        _lookup = new(_servers, new(options, log), options);
        _cache = new(options.CacheEntries, options.CacheBytes, time);
        _turns = new(options.MaxConcurrent);
    }

    /// <summary>The AD bit of the servers' answers is believed now: <see cref="DnsAnswer.IsAuthentic"/> may be true.</summary>
    public bool Validates => _servers.Current(out _).TrustAd;

    public async ValueTask<DnsAnswer> QueryAsync(string name, DnsType type, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        // What is no name has no records and never will.
        if (DnsName.Normalize(name) is not { } normal)
            return new(DnsStatus.NoName, name, [], false, "not a name that the DNS can hold");
        var key = new DnsKey(normal, type);
        var set = CurrentServers();
        var era = Volatile.Read(ref _era);
        if ((_cache.Find(key) ?? _cache.Find(OfAnyType(key))) is { } known)
            return known;

        Task<DnsAnswer> answer;
        lock (_starting)
        {
            if (!_underWay.TryGetValue(key, out answer!))
                _underWay[key] = answer = Task.Run(() => AskAsync(key, set, era), CancellationToken.None);
        }
        // Who gives up leaves the others their answer; the question itself ends by its time-outs.
        return await answer.WaitAsync(cancel).ConfigureAwait(false);
    }

    /// <summary>Questions under way end as failed.</summary>
    public void Dispose() => _closing.Cancel();

    private static DnsKey OfAnyType(DnsKey key) => key with { Type = default };

    private ServerSet CurrentServers()
    {
        var set = _servers.Current(out var changed);
        if (changed)
        {
            Interlocked.Increment(ref _era);
            _cache.Clear();
        }
        return set;
    }

    private async Task<DnsAnswer> AskAsync(DnsKey key, ServerSet set, int era)
    {
        try
        {
            await _turns.WaitAsync(_closing.Token).ConfigureAwait(false);
            try
            {
                var (answer, ttl) = await _lookup.RunAsync(key.Name, key.Type, set, _closing.Token).ConfigureAwait(false);
                // RFC 2308 §5: a name that does not exist has nothing of any type; one that leads to such a name has its CNAME.
                var isNoName = answer.Status == DnsStatus.NoName && answer.Name == key.Name;
                if (era == Volatile.Read(ref _era))
                    _cache.Add(isNoName ? OfAnyType(key) : key, answer, ttl);
                return answer;
            }
            finally
            {
                _turns.Release();
            }
        }
        catch (OperationCanceledException)
        {
            return Failed("the resolver is closed");
        }
        catch (Exception error)
        {
            // A fault of ours, or of the system's sockets: nobody's answer, but whoever waits must get one.
            _log.LookupFailed(error, key.Name, key.Type);
            return Failed(error.Message);
        }
        finally
        {
            lock (_starting)
                _underWay.Remove(key);
        }

        DnsAnswer Failed(string reason) => new(DnsStatus.Failed, key.Name, [], false, reason);
    }
}
