using System.Data.Common;
using EventMail.EventStore;
using EventMail.EventStore.Observations;
using EventMail.Projections;
using EventMail.Protocols.Dns;
using Microsoft.Extensions.Logging;

namespace EventMail.Protocols.TransportSecurity;

/// <summary>
/// The MTA-STS policies of the domains that mail goes to (RFC 8461 §5.1): fetched when a domain's record shows a new id, held for their
/// max_age, also over restarts, whatever the DNS and the domain's web server say meanwhile, and seen again daily. Thread-safe.
/// </summary>
/// <param name="store">Null: only in memory.</param>
public sealed class TransportPolicies(
    IDnsSource dns, MtaStsFetcher fetcher, ObservationStore? store, TimeProvider time, ILogger log) : IAsyncDisposable
{
    /// <summary>The kind of observation that they are.</summary>
    public const string Kind = "mta-sts";

    /// <summary>§3.3: after a failure, the same id is not tried again for so long.</summary>
    public static readonly TimeSpan RetryAfter = TimeSpan.FromMinutes(5);

    /// <summary>§3.3: policies are fetched again daily, long before they expire, so that nobody can wait for that.</summary>
    public static readonly TimeSpan RefreshAfter = TimeSpan.FromDays(1);

    /// <summary>How long what is in memory holds without a look at what other nodes learnt.</summary>
    public static readonly TimeSpan TrustMemoryFor = TimeSpan.FromMinutes(10);

    /// <summary>Domains in memory: up to twice as many.</summary>
    public const int MaxDomains = 20_000;

    private const int RefreshAtOnce = 50;
    private static readonly TimeSpan LookForStale = TimeSpan.FromMinutes(15);

    // Held is null when there is none.
    private sealed record Known(HeldPolicy? Held, DateTimeOffset Loaded);

    private sealed record Failure(string Id, DateTimeOffset Until);

    private readonly BoundedCache<string, Known> _known = new(MaxDomains);
    private readonly BoundedCache<string, Failure> _failures = new(MaxDomains);
    private readonly Dictionary<string, Task<HeldPolicy?>> _fetching = [];
    private readonly Lock _starting = new();
    private readonly CancellationTokenSource _closing = new();
    private Task _refreshing = Task.CompletedTask;

    /// <summary>The policy that holds for mail to this domain (of the recipient, not of its servers); ASCII.</summary>
    public async ValueTask<TransportPolicy> ForAsync(string domain, CancellationToken cancel)
    {
        domain = domain.TrimEnd('.').ToLowerInvariant();
        var answer = await dns.QueryAsync("_mta-sts." + domain, DnsType.Txt, cancel).ConfigureAwait(false);
        var id = answer.Status == DnsStatus.Found ? MtaStsText.IdOf(answer.Of<TxtRecord>()) : null;
        var held = await HeldAsync(domain, cancel).ConfigureAwait(false);
        if (id is not null && id != held?.Policy.Id && !FailedLately(domain, id))
            held = await FetchOnceAsync(domain, id).WaitAsync(cancel).ConfigureAwait(false) ?? held;
        // A policy that holds is applied also when its record is gone or cannot be asked for: that is what an attacker would arrange.
        return held?.Policy ?? TransportPolicy.None;
    }

    /// <summary>Begins to refresh policies in the background.</summary>
    public void Start() => _refreshing = Task.Run(RefreshFromTimeToTimeAsync);

    /// <summary>Fetches those again that were not seen for a day; a node takes its share.</summary>
    public async Task RefreshAsync(CancellationToken cancel)
    {
        if (store is null)
            return;
        var now = time.GetUtcNow();
        foreach (var stale in await store.ClaimStaleAsync(now - RefreshAfter, now, RefreshAfter / 4, RefreshAtOnce, cancel).ConfigureAwait(false))
        {
            var held = HeldPolicy.Of(stale);
            var answer = await dns.QueryAsync("_mta-sts." + held.Domain, DnsType.Txt, cancel).ConfigureAwait(false);
            var id = answer.Status == DnsStatus.Found ? MtaStsText.IdOf(answer.Of<TxtRecord>()) : null;
            if (id is not null)
                await FetchOnceAsync(held.Domain, id).WaitAsync(cancel).ConfigureAwait(false);
            // §3.3: whoever runs the domain should hear of it, from us or from others.
            else if (held.Policy.Mode != MtaStsMode.None)
                log.PolicyNotSeen(held.Domain, held.Until);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync().ConfigureAwait(false);
        await _refreshing.ConfigureAwait(false);
        Task[] fetching;
        lock (_starting)
            fetching = [.. _fetching.Values];
        await Task.WhenAll(fetching).ConfigureAwait(false);
        _closing.Dispose();
    }

    private async Task RefreshFromTimeToTimeAsync()
    {
        using var timer = new PeriodicTimer(LookForStale, time);
        try
        {
            while (await timer.WaitForNextTickAsync(_closing.Token).ConfigureAwait(false))
            {
                try
                {
                    await RefreshAsync(_closing.Token).ConfigureAwait(false);
                }
                catch (DbException error)
                {
                    log.PolicyStoreFailed(error);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
    }

    private async ValueTask<HeldPolicy?> HeldAsync(string domain, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        _known.TryGet(domain, out var known);
        if (store is not null && (known is null || now - known.Loaded >= TrustMemoryFor))
        {
            try
            {
                var found = await store.FindAsync(domain, now, cancel).ConfigureAwait(false);
                known = new(found is null ? null : HeldPolicy.Of(found), now);
                _known.Set(domain, known);
            }
            catch (DbException error) when (known is not null)
            {
                log.PolicyStoreFailed(error);
            }
        }
        return known?.Held is { } held && held.Until > now ? held : null;
    }

    private bool FailedLately(string domain, string id) =>
        _failures.TryGet(domain, out var failure) && failure.Id == id && failure.Until > time.GetUtcNow();

    private Task<HeldPolicy?> FetchOnceAsync(string domain, string id)
    {
        lock (_starting)
        {
            if (!_fetching.TryGetValue(domain, out var fetch))
                _fetching[domain] = fetch = Task.Run(() => FetchAsync(domain, id));
            return fetch;
        }
    }

    private async Task<HeldPolicy?> FetchAsync(string domain, string id)
    {
        try
        {
            var (policy, fault) = await fetcher.FetchAsync(domain, id, _closing.Token).ConfigureAwait(false);
            if (policy is null)
            {
                _failures.Set(domain, new(id, time.GetUtcNow() + RetryAfter));
                log.PolicyNotFetched(domain, id, fault!);
                return null;
            }
            var held = new HeldPolicy(domain, policy, time.GetUtcNow());
            _known.Set(domain, new(held, held.Fetched));
            if (store is not null)
                await store.SaveAsync(held.ToObservation(), _closing.Token).ConfigureAwait(false);
            return held;
        }
        catch (DbException error)
        {
            // It holds as long as this process.
            log.PolicyStoreFailed(error);
            return _known.TryGet(domain, out var known) ? known.Held : null;
        }
        catch (OperationCanceledException)
        {
            return null;
        }
        finally
        {
            lock (_starting)
                _fetching.Remove(domain);
        }
    }
}
