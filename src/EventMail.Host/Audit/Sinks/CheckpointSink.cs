using EventMail.EventStore.Proof;
using Microsoft.Extensions.Logging;

namespace EventMail.Host.Audit;

/// <summary>
/// Somewhere outside that checkpoints go. What failed is tried again, and then with the newest one, which says all that those before it
/// said: nothing piles up, and nobody waits for it.
/// </summary>
internal sealed class CheckpointSink : IAsyncDisposable
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(10);

    /// <summary>For what is left at the end.</summary>
    private static readonly TimeSpan LastChance = TimeSpan.FromSeconds(3);

    private readonly string _name;
    private readonly Func<SignedCheckpoint, CancellationToken, Task> _send;
    private readonly TimeSpan _retryAfter;
    private readonly ILogger _log;
    private readonly SemaphoreSlim _offered = new(0, 1);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _work;
    private SignedCheckpoint? _newest;

    /// <param name="name">For the log: what it is and where.</param>
    /// <param name="send">Throws when it was not taken.</param>
    public CheckpointSink(string name, Func<SignedCheckpoint, CancellationToken, Task> send, TimeSpan retryAfter, ILogger log)
    {
        (_name, _send, _retryAfter, _log) = (name, send, retryAfter, log);
        _work = RunAsync(_stop.Token);
    }

    public void Offer(SignedCheckpoint checkpoint)
    {
        Volatile.Write(ref _newest, checkpoint);
        lock (_offered)
        {
            if (_offered.CurrentCount == 0)
                _offered.Release();
        }
    }

    /// <summary>What waits is tried once more.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // it was told to stop
        if (Volatile.Read(ref _newest) is { } left)
        {
            using var time = new CancellationTokenSource(LastChance);
            await TryAsync(left, attempt: 1, time.Token);
        }
        _stop.Dispose();
        _offered.Dispose();
    }

    private async Task RunAsync(CancellationToken stop)
    {
        while (true)
        {
            await _offered.WaitAsync(stop);
            var wait = _retryAfter;
            for (var attempt = 1; Volatile.Read(ref _newest) is { } newest && !await TryAsync(newest, attempt, stop); attempt++)
            {
                await Task.Delay(wait, stop);
                wait = wait * 2 < LongestWait ? wait * 2 : LongestWait;
            }
        }
    }

    private async Task<bool> TryAsync(SignedCheckpoint checkpoint, int attempt, CancellationToken cancel)
    {
        try
        {
            await _send(checkpoint, cancel);
            Interlocked.CompareExchange(ref _newest, null, checkpoint);
            if (attempt > 1)
                _log.CheckpointTakenAgain(_name, attempt);
            return true;
        }
        catch (Exception error) when (cancel != _stop.Token || !cancel.IsCancellationRequested)
        {
            _log.CheckpointNotTaken(_name, checkpoint.Checkpoint.Size, attempt, error is OperationCanceledException ? "no answer in time" : error.Message);
            return false;
        }
    }
}
