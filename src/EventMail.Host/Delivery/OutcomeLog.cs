using EventMail.Domain.Deliveries;
using EventMail.Projections.Deliveries;
using Microsoft.Extensions.Logging;

namespace EventMail.Host.Delivery;

/// <summary>Tells the log what was decided of an attempt, from the events that were written.</summary>
internal static class OutcomeLog
{
    public static void Write(ILogger log, QueuedDelivery delivery, RecordedAttempt recorded, TimeSpan took, DateTimeOffset now)
    {
        var message = delivery.Message;
        var id = delivery.Stream.Id;
        var ms = (long)took.TotalMilliseconds;
        foreach (var written in recorded.Events)
        {
            switch (written)
            {
                case RecipientDelivered delivered:
                    var (host, tls) = HostOf(recorded, delivered.Recipients[0]);
                    foreach (var recipient in delivered.Recipients)
                    {
                        log.Delivered(
                            id, message.MessageId, message.Sender, message.Recipients[recipient].Address, host,
                            DeliveryReply.Line(delivered.Code, delivered.Enhanced, delivered.Text), tls, delivery.Retries, "delivered", ms,
                            (long)(now - delivery.Submitted).TotalMilliseconds);
                    }
                    break;
                case RecipientFailed failed:
                    log.Failed(
                        id, message.MessageId, message.Sender, Addresses(message, failed.Recipients), delivery.Retries,
                        DeliveryReply.Line(failed.Code, failed.Enhanced, failed.Text), "failed", ms);
                    break;
                case DeliveryDeferred deferred:
                    log.Deferred(
                        id, message.MessageId, message.Sender, Addresses(message, deferred.Recipients), deferred.Retries, deferred.Next,
                        DeliveryReply.Line(deferred.Code, deferred.Enhanced, deferred.Text), "deferred", ms);
                    log.RetryCalculated(id, message.MessageId, deferred.Retries, deferred.Next - now, deferred.Next);
                    break;
                case DeliveryOutcomeUnknown unknown:
                    log.Deferred(
                        id, message.MessageId, message.Sender, Addresses(message, unknown.Recipients), unknown.Retries, unknown.Next,
                        "the outcome is unknown: it may have been delivered", "unknown", ms);
                    log.RetryCalculated(id, message.MessageId, unknown.Retries, unknown.Next - now, unknown.Next);
                    break;
            }
        }
    }

    private static (string? Host, string Tls) HostOf(RecordedAttempt recorded, int recipient)
    {
        var last = recorded.Events.OfType<DeliveryAttempted>().LastOrDefault(attempted => attempted.Recipients.Contains(recipient));
        return (last?.Host, last?.Tls is { } tls ? $"{tls.Version} {tls.Policy}" : "none");
    }

    private static string[] Addresses(MessageSubmitted message, int[] recipients) =>
        [.. recipients.Select(recipient => message.Recipients[recipient].Address)];
}
