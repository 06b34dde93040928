using EventMail.Projections.Deliveries;
using Microsoft.Extensions.Logging;

namespace EventMail.Host.Delivery;

/// <summary>Keeps a claimed message while it is being sent. Cancels its attempt when somebody else has it, or the agent is stopped.</summary>
/// <remarks>Most attempts are over long before anything is renewed: those cost a timer, and no exception.</remarks>
internal sealed class Lease : IAsyncDisposable
{
    private readonly DeliveryService _queue;
    private readonly QueuedDelivery _delivery;
    private readonly TimeSpan _length;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _cut;
    private readonly CancellationTokenSource _over = new();
    private readonly ITimer _timer;
    private Task _renewing = Task.CompletedTask;

    public Lease(DeliveryService queue, QueuedDelivery delivery, TimeSpan length, TimeProvider time, ILogger log, CancellationToken atOnce)
    {
        (_queue, _delivery, _length, _log) = (queue, delivery, length, log);
        _cut = CancellationTokenSource.CreateLinkedTokenSource(atOnce);
        _timer = time.CreateTimer(_ => Renew(), null, length / 3, length / 3);
    }

    /// <summary>Fires when the attempt must end at once.</summary>
    public CancellationToken Token => _cut.Token;

    public async ValueTask DisposeAsync()
    {
        await _timer.DisposeAsync();
        if (!_renewing.IsCompleted)
            await _over.CancelAsync();
        await _renewing;
        _over.Dispose();
        _cut.Dispose();
    }

    private void Renew()
    {
        if (_renewing.IsCompleted && !_cut.IsCancellationRequested)
            _renewing = RenewAsync();
    }

    private async Task RenewAsync()
    {
        try
        {
            if (await _queue.RenewAsync(_delivery, _length, _over.Token))
                return;
            _log.LeaseLost(_delivery.Stream.Id, _delivery.Domain);
            await _cut.CancelAsync();
        }
        catch (OperationCanceledException) when (_over.IsCancellationRequested)
        {
            // The attempt is over.
        }
        catch (Exception error)
        {
            // The database is away, for the others too: the log decides who is late.
            _log.RenewalFailed(error, _delivery.Stream.Id, _delivery.Domain);
        }
    }
}
