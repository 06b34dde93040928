namespace EventMail.EventStore;

/// <summary>A command on its way through the executor.</summary>
internal sealed class PendingCommand(Command command)
{
    private const int Queued = 0, Taken = 1, Cancelled = 2;

    private readonly TaskCompletionSource<Outcome> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CancellationTokenRegistration _registration;
    private int _state;

    public Command Command { get; } = command;

    public Task<Outcome> Task => _completion.Task;

    public int Deferrals { get; set; }

    /// <summary>Commands of one session do not pass each other; null for whom nobody waits.</summary>
    public string? Session => Command.Metadata.CorrelationId;

    /// <summary>Bytes of its contents that go into the database.</summary>
    public long RowBytes
    {
        get
        {
            var bytes = 0L;
            foreach (var content in Command.Contents)
                bytes += content.Row?.Length ?? 0;
            return bytes;
        }
    }

    public void CancelOn(CancellationToken cancel)
    {
        if (cancel.CanBeCanceled)
            _registration = cancel.UnsafeRegister(static (state, token) => ((PendingCommand)state!).TryCancel(token), this);
    }

    /// <summary>False when its caller gave up before.</summary>
    public bool TryTake()
    {
        if (Interlocked.CompareExchange(ref _state, Taken, Queued) == Cancelled)
            return false;
        _registration.Dispose();
        return true;
    }

    private void TryCancel(CancellationToken cancel)
    {
        if (Interlocked.CompareExchange(ref _state, Cancelled, Queued) == Queued)
            _completion.TrySetCanceled(cancel);
    }

    public void Complete(Outcome outcome) => _completion.TrySetResult(outcome);

    public void Fail(Exception error) => _completion.TrySetException(error);
}
