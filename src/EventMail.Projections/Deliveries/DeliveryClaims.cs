using System.Collections.Concurrent;
using EventMail.Domain.Deliveries;
using EventMail.EventStore;
using Microsoft.Extensions.Logging;

namespace EventMail.Projections.Deliveries;

/// <summary>
/// Takes what is due, and on the way settles what needs no attempt: attempts that a dead host left behind, messages whose time is up,
/// recipients that are here, mail of accounts that are suspended. What is wrong with one row holds up no other. Thread-safe.
/// </summary>
internal sealed class DeliveryClaims(
    CommandExecutor executor, DeliveryQueue queue, DeliverySettling settling, DeliveryAlarm alarm, TimeProvider clock, ILogger log)
{
    // What this process is at. A claim that meets one of these finds a lease that could not be renewed, and no dead host.
    private readonly ConcurrentDictionary<(Guid Delivery, string Domain, int Attempt), bool> _underWay = [];

    public void Begun(QueuedDelivery row) => _underWay[(row.Stream.Id, row.Domain, row.Attempt)] = true;

    public void Ended(QueuedDelivery row) => _underWay.TryRemove((row.Stream.Id, row.Domain, row.Attempt), out _);

    public async Task<IReadOnlyList<QueuedDelivery>> ClaimAsync(ClaimRequest request, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        var (rows, next) = await queue.ClaimAsync(request, now, cancel);
        if (next is { } at)
            alarm.At(at);
        if (rows.Count == 0)
            return [];
        var states = await StatesAsync(rows, cancel);
        var claimed = await Task.WhenAll(rows.Where(row => states.ContainsKey(row.Stream)).Select(row =>
            SortOutAsync(row.Stream, row.Domain, (DeliveryState)states[row.Stream].State, now, now + request.Lease, cancel)));
        QueuedDelivery[] left = [.. claimed.OfType<QueuedDelivery>()];
        // Behind those that are settled more may be due, and whoever got nothing would not ask again.
        if (rows.Count >= request.Limit && left.Length < rows.Count)
            alarm.At(now);
        return left;
    }

    /// <summary>What was claimed as it was submitted is sorted out like any other claim.</summary>
    public async Task<IReadOnlyCollection<QueuedDelivery>> SortOutAsync(FirstClaim claim)
    {
        // Whatever keeps it from being begun until then: it is due again.
        alarm.At(claim.Until);
        var state = (DeliveryState)(await executor.StateAsync(DeliveryKind.Stream(claim.Delivery), CancellationToken.None)).State;
        var now = clock.GetUtcNow();
        var claimed = await Task.WhenAll(claim.Domains.Select(domain =>
            SortOutAsync(claim.Delivery, domain, state, now, claim.Until, CancellationToken.None)));
        return [.. claimed.OfType<QueuedDelivery>()];
    }

    /// <summary>Gives rows back that were not begun after all: they are due for anybody.</summary>
    public Task ReturnAsync(IReadOnlyCollection<QueuedDelivery> rows, CancellationToken cancel) =>
        queue.ReturnAsync([.. rows.Select(row => (row.Stream, row.Domain))], cancel);

    /// <summary>
    /// Gives up attempts at what is held that nobody is making any more: no claim would ever meet them, and they could not be cancelled.
    /// </summary>
    /// <param name="dead">Nodes.</param>
    public async Task GiveUpHeldAsync(IReadOnlyCollection<Guid> dead, CancellationToken cancel)
    {
        foreach (var (stream, domain) in await queue.AbandonedHeldAsync(dead, clock.GetUtcNow(), cancel))
        {
            try
            {
                if (!_underWay.Keys.Any(attempt => attempt.Delivery == stream.Id && attempt.Domain == domain))
                    await settling.GiveUpAsync(stream, domain, cancel);
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                log.SettlingFailed(error, stream.Id, domain);
            }
        }
    }

    // One stream that cannot be read, of a newer version perhaps, must not keep the others from being delivered.
    private async Task<IReadOnlyDictionary<StreamKey, LoadedState>> StatesAsync(List<(StreamKey Stream, string Domain)> rows, CancellationToken cancel)
    {
        StreamKey[] streams = [.. rows.Select(row => row.Stream).Distinct()];
        try
        {
            return await executor.RefreshAsync(DeliveryKind.Instance, streams, cancel);
        }
        catch (DamagedStreamException)
        {
            var states = new Dictionary<StreamKey, LoadedState>();
            foreach (var stream in streams)
            {
                try
                {
                    states[stream] = await executor.RefreshAsync(DeliveryKind.Stream(stream), cancel);
                }
                catch (DamagedStreamException error)
                {
                    log.DeliveryUnreadable(error, stream.Id);
                }
            }
            return states;
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            // Else they would be nobody's until their leases are over.
            await queue.ReturnAsync(rows, cancel);
            throw;
        }
    }

    private async Task StopAsync(StreamKey stream, string domain, DeliveryHalt halt, CancellationToken cancel)
    {
        if (halt == DeliveryHalt.Closed)
            await settling.CancelAsync(stream, domain, cancel);
        else if (!await queue.PutAsideAsync(stream, domain, cancel))
            await queue.ReturnAsync([(stream, domain)], cancel); // it is being resumed this very moment
    }

    // Null when there is nothing to be attempted.
    private async Task<QueuedDelivery?> SortOutAsync(
        StreamKey stream, string domain, DeliveryState state, DateTimeOffset now, DateTimeOffset leaseEnd, CancellationToken cancel)
    {
        try
        {
            if (state.Find(domain) is not { } destination || state.Held)
                await queue.ReturnAsync([(stream, domain)], cancel); // it has changed this very moment
            else if (destination.UnderWay is { } attempt)
            {
                if (!_underWay.ContainsKey((stream.Id, domain, attempt.Attempt)))
                    await settling.GiveUpAsync(stream, domain, cancel);
            }
            else if (await settling.HaltAsync(stream.Tenant, cancel) is not DeliveryHalt.None and var halt)
                await StopAsync(stream, domain, halt, cancel);
            else if (AttemptDecider.IsExpired(state, now))
                await settling.ExpireAsync(stream, domain, cancel);
            else if (await settling.IsHereAsync(domain, cancel))
                await settling.DeliverHereAsync(stream, domain, cancel);
            else
                return new(
                    stream, domain, destination.Recipients, destination.Attempts + 1, destination.Retries, state.Message!, state.Submitted, leaseEnd)
                {
                    Hastened = destination.Hastened,
                };
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            log.SettlingFailed(error, stream.Id, domain);
        }
        return null;
    }
}
