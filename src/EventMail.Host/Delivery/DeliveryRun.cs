using EventMail.Domain.Deliveries;
using EventMail.Host.Delivery.Attempts;
using EventMail.Host.Delivery.Lanes;
using EventMail.Host.Delivery.Routing;
using EventMail.Projections.Deliveries;
using Microsoft.Extensions.Logging;

namespace EventMail.Host.Delivery;

/// <summary>A claimed message and where its domain's mail goes.</summary>
internal sealed record ClaimedDelivery(QueuedDelivery Delivery, NextHop Hop);

/// <summary>
/// Takes one claimed message through its attempt: begun (durable) → made → recorded. What is begun is recorded, whatever happens but
/// the end of the process; that one the queue sees as an attempt without an outcome.
/// </summary>
/// <param name="atOnce">Attempts are cut off.</param>
/// <param name="lastWords">Nor is the database waited for.</param>
internal sealed class DeliveryRun(
    DeliveryService queue, AttemptServices services, TimeSpan lease, CancellationToken atOnce, CancellationToken lastWords)
{
    private static readonly TimeSpan RecordAgain = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestRecordAgain = TimeSpan.FromSeconds(30);

    // What is left of a lease must suffice to begin.
    private static readonly TimeSpan LeaseMargin = TimeSpan.FromSeconds(1);

    private int _cutOff;

    /// <summary>Attempts that were cut short by the end.</summary>
    public int CutOff => Volatile.Read(ref _cutOff);

    private ILogger Log => services.Log;

    /// <summary>Never throws.</summary>
    public async Task<LaneOutcome> RunAsync(ClaimedDelivery claimed, LaneTurn turn)
    {
        var delivery = claimed.Delivery;
        try
        {
            // It waited too long for its lane: it is due again, for anybody.
            if (delivery.LeaseEnd - services.Time.GetUtcNow() < LeaseMargin)
                return LaneOutcome.Nothing;
            if ((await queue.BeginAsync(delivery, atOnce).WaitAsync(lastWords)).Rejection is { } rejection)
            {
                Log.NotBegun(delivery.Stream.Id, delivery.Domain, rejection.Text);
                return LaneOutcome.Nothing;
            }
            try
            {
                return await AttemptAsync(claimed, turn);
            }
            finally
            {
                queue.Ended(delivery);
            }
        }
        catch (OperationCanceledException) when (atOnce.IsCancellationRequested)
        {
            return LaneOutcome.Nothing;
        }
        catch (Exception error)
        {
            Log.AttemptFailed(error, delivery.Stream.Id, delivery.Domain);
            return LaneOutcome.Nothing;
        }
    }

    private async Task<LaneOutcome> AttemptAsync(ClaimedDelivery claimed, LaneTurn turn)
    {
        var begun = services.Time.GetTimestamp();
        AttemptResult result;
        await using (var held = new Lease(queue, claimed.Delivery, lease, services.Time, Log, atOnce))
        {
            result = turn.Suspension is { } suspension
                ? new(PutOff(claimed.Delivery, suspension), LaneOutcome.Nothing)
                : await new DeliveryAttempt(services, claimed.Delivery, claimed.Hop).RunAsync(held.Token);
            if (held.Token.IsCancellationRequested)
                Interlocked.Increment(ref _cutOff);
        }
        await RecordAsync(claimed.Delivery, result.Report, services.Time.GetElapsedTime(begun));
        return result.Lane;
    }

    // Somebody has just found out that nobody can be reached there: it is not tried again for each message.
    private static AttemptReport PutOff(QueuedDelivery delivery, Suspension suspension)
    {
        var text = $"Not tried, {delivery.Domain} could not be reached at {suspension.Since:HH:mm:ss} UTC: {suspension.Reason.Text}";
        return new([], [.. delivery.Recipients.Select(recipient =>
            new RecipientOutcome(recipient, OutcomeKind.Deferred, 0, suspension.Reason.Enhanced, text, null))]);
    }

    // A message that was delivered and is not known to be is delivered twice: while the database is away, the outcome waits for it.
    private async Task RecordAsync(QueuedDelivery delivery, AttemptReport report, TimeSpan took)
    {
        for (var wait = RecordAgain; ; wait = wait * 2 < LongestRecordAgain ? wait * 2 : LongestRecordAgain)
        {
            try
            {
                // Not cancelled, only not waited for: once the database is back it may be written all the same.
                var recorded = await queue.RecordAsync(delivery, report, CancellationToken.None).WaitAsync(lastWords);
                OutcomeLog.Write(Log, delivery, recorded, took, services.Time.GetUtcNow());
                return;
            }
            catch (OperationCanceledException) when (lastWords.IsCancellationRequested)
            {
                Log.OutcomeLost(delivery.Stream.Id, delivery.Domain);
                return;
            }
            catch (Exception error)
            {
                Log.RecordingFailed(error, delivery.Stream.Id, delivery.Domain);
            }
            try
            {
                await Task.Delay(wait, services.Time, atOnce);
            }
            catch (OperationCanceledException)
            {
                Log.OutcomeLost(delivery.Stream.Id, delivery.Domain);
                return;
            }
        }
    }
}
