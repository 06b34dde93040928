using EventMail.Projections.Deliveries;
using Microsoft.Extensions.Logging;

namespace EventMail.Host.Delivery;

/// <summary>Keeps a claimed message while it is being sent. Cancels its attempt when somebody else has it, or the agent is stopped.</summary>
internal sealed class Lease : IAsyncDisposable
{
    private readonly CancellationTokenSource _cut;
    private readonly CancellationTokenSource _over = new();
    private readonly Task _keeping;

    public Lease(DeliveryService queue, QueuedDelivery delivery, TimeSpan length, TimeProvider time, ILogger log, CancellationToken atOnce)
    {
        _cut = CancellationTokenSource.CreateLinkedTokenSource(atOnce);
        _keeping = KeepAsync();

        async Task KeepAsync()
        {
            try
            {
                while (true)
                {
                    await Task.Delay(length / 3, time, _over.Token);
                    if (await RenewedAsync())
                        continue;
                    IsLost = true;
                    log.LeaseLost(delivery.Stream.Id, delivery.Domain);
                    await _cut.CancelAsync();
                    return;
                }
            }
            catch (OperationCanceledException)
            {
                // The attempt is over.
            }
        }

        async Task<bool> RenewedAsync()
        {
            try
            {
                return await queue.RenewAsync(delivery, length, _over.Token);
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                // The database is away, for the others too: the log decides who is late.
                log.RenewalFailed(error, delivery.Stream.Id, delivery.Domain);
                return true;
            }
        }
    }

    /// <summary>Fires when the attempt must end at once.</summary>
    public CancellationToken Token => _cut.Token;

    /// <summary>Somebody else has the message.</summary>
    public bool IsLost { get; private set; }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        await _keeping;
        _over.Dispose();
        _cut.Dispose();
    }
}
