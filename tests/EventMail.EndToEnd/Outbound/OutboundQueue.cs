using System.Diagnostics;
using EventMail.Testing;

namespace EventMail.EndToEnd.Outbound;

/// <summary>What waits to be delivered, as its operator sees it.</summary>
internal static class OutboundQueue
{
    /// <summary>Waits until nothing is left.</summary>
    public static async Task DrainedAsync(TestServer server)
    {
        for (var patience = Stopwatch.StartNew(); !await IsEmptyAsync(server); await Task.Delay(100))
        {
            patience.Elapsed.ShouldBeLessThan(Waiting.Limit, "the queue is not drained");
        }
    }

    private static async Task<bool> IsEmptyAsync(TestServer server) =>
        (await server.RunAsync("queue", "list")).Output.Split('\n').Any(line => line.StartsWith("0 rows ", StringComparison.Ordinal));
}
