using EventMail.Domain;
using EventMail.Domain.Accounts;
using EventMail.EventStore;

namespace EventMail.Projections.Deliveries;

/// <param name="Changed">Messages.</param>
/// <param name="Refused">Messages that are left as they are, by the reason.</param>
public sealed record QueueSwept(long Changed, IReadOnlyDictionary<string, long> Refused);

/// <summary>Does something with every message of the queue that matches: with all of a domain, of a sender, or at all.</summary>
public static class QueueSweep
{
    /// <summary>Those that are under way at once are committed together.</summary>
    private const int AtOnce = 64;

    /// <summary>Some may be over, or held already, by the time that it is their turn: that is counted, and no failure.</summary>
    /// <param name="progress">Hears how many messages were looked at.</param>
    public static async Task<QueueSwept> RunAsync(
        DeliveryQueries queries, QueueFilter filter, Func<StreamKey, Task<Result<Unit>>> change, Action<long>? progress, CancellationToken cancel)
    {
        var (changed, refused) = (0L, new SortedDictionary<string, long>(StringComparer.Ordinal));
        var batch = new List<StreamKey>(AtOnce);
        var (last, seen) = (default(StreamKey), 0L);
        await foreach (var entry in queries.ListAsync(filter, null, cancel))
        {
            // A message's rows stand one behind the other.
            if (last == entry.Delivery)
                continue;
            if (batch.Count == AtOnce)
                await RunBatchAsync();
            batch.Add(last = entry.Delivery);
        }
        await RunBatchAsync();
        return new(changed, refused);

        async Task RunBatchAsync()
        {
            foreach (var result in await Task.WhenAll(batch.Select(change)))
            {
                if (result.Rejection is { } rejection)
                    refused[rejection.Text] = refused.GetValueOrDefault(rejection.Text) + 1;
                else
                    changed++;
            }
            progress?.Invoke(seen += batch.Count);
            batch.Clear();
        }
    }
}
