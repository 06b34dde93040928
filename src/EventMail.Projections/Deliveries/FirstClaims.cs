using EventMail.Domain.Deliveries;
using EventMail.EventStore;
using Microsoft.Extensions.Logging;

namespace EventMail.Projections.Deliveries;

/// <summary>
/// Hands what is submitted here to whoever delivers here: claimed in the transaction of the submission, so that no claim looks for it and
/// no row of it changes until it is delivered. Thread-safe.
/// </summary>
internal sealed class FirstClaims(CommandExecutor executor, DeliveryClaims claims, TimeProvider clock, ILogger log)
{
    private FirstClaimant? _claimant;

    /// <summary>From now on this one takes them, until the answer is disposed.</summary>
    public IDisposable Subscribe(FirstClaimant claimant)
    {
        Volatile.Write(ref _claimant, claimant);
        return new Subscription(() => Interlocked.CompareExchange(ref _claimant, null, claimant));
    }

    /// <summary>What is claimed of a submission; null when all of it goes into the queue.</summary>
    /// <param name="domains">Of the recipients who are due at once.</param>
    public FirstClaim? Of(StreamKey delivery, IEnumerable<string> domains)
    {
        if (Volatile.Read(ref _claimant) is not { } claimant)
            return null;
        string[] taken = [.. domains.Distinct(StringComparer.Ordinal).Where(claimant.HasRoom)];
        return taken.Length > 0 ? new(delivery, taken, executor.Node, clock.GetUtcNow() + claimant.Lease) : null;
    }

    /// <summary>The submission is committed. Never throws: what cannot be handed over is free when the lease is over.</summary>
    public async Task HandOverAsync(FirstClaim claim)
    {
        try
        {
            var rows = await claims.SortOutAsync(claim);
            if (Volatile.Read(ref _claimant) is { } claimant)
                foreach (var row in rows)
                    claimant.Take(row);
            else
                await claims.ReturnAsync(rows, CancellationToken.None);
        }
        catch (Exception error)
        {
            log.NotHandedOver(error, claim.Delivery.Id);
        }
    }

    private sealed class Subscription(Action end) : IDisposable
    {
        public void Dispose() => end();
    }
}
