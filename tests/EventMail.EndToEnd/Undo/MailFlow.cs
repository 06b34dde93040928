using EventMail.Testing;

namespace EventMail.EndToEnd.Undo;

/// <summary>Mail that comes in one by one for as long as it is let: each is taken, or the test fails.</summary>
internal sealed class MailFlow : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private Task<int> _running = Task.FromResult(0);

    public static MailFlow Begin(TestServer server, string recipient)
    {
        var flow = new MailFlow();
        flow._running = Task.Run(() => flow.RunAsync(server, recipient));
        return flow;
    }

    /// <summary>How many were taken.</summary>
    public async Task<int> EndAsync()
    {
        await _stop.CancelAsync();
        return await _running;
    }

    private async Task<int> RunAsync(TestServer server, string recipient)
    {
        var sent = 0;
        for (; !_stop.IsCancellationRequested; sent++)
            await Delivery.SendAsync(server["smtp"], recipient, $"Subject: flow {sent}\r\n\r\nBody\r\n");
        return sent;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAny(_running);
        _stop.Dispose();
    }
}
