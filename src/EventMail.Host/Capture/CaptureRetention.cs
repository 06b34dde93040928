using EventMail.Projections.Capture;
using Microsoft.Extensions.Logging;

namespace EventMail.Host.Capture;

/// <summary>Takes the oldest messages out when there are more than are to be kept.</summary>
internal sealed class CaptureRetention : IAsyncDisposable
{
    private static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _stop = new();
    private readonly Task _work;

    public CaptureRetention(CapturedMessages messages, CaptureBin bin, int most, ILogger log) => _work = RunAsync(messages, bin, most, log, _stop.Token);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _work;
        _stop.Dispose();
    }

    private static async Task RunAsync(CapturedMessages messages, CaptureBin bin, int most, ILogger log, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var changed = messages.Changed;
            try
            {
                if (messages.Beyond(most) is { Count: > 0 } oldest)
                    await bin.RemoveAsync(oldest, stop);
                await changed.WaitAsync(stop);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error)
            {
                // Whatever it is (the database is away for a moment): more is kept meanwhile, and it is tried again.
                log.RetentionFailed(error);
                await Task.WhenAny(Task.Delay(AfterFailure, stop));
            }
        }
    }
}
