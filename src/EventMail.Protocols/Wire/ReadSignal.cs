using System.Threading.Tasks.Sources;

namespace EventMail.Protocols.Wire;

/// <summary>
/// What a session's read waits on: one waiter, any number of signallers, no allocation per wait. The pipe's own read is left
/// pending when somebody else signals, so that a wake-up never disturbs the layers below (a cancelled read of a TLS stream is an
/// exception through all of them).
/// </summary>
internal sealed class ReadSignal : IValueTaskSource
{
    private ManualResetValueTaskSourceCore<bool> _core;
    private int _armed;

    /// <summary>Signals from here on end the wait. Whoever arms must look for reasons not to wait afterwards.</summary>
    public void Arm()
    {
        _core.Reset();
        // A full fence: either the signaller sees us armed or we see what it has to tell.
        Interlocked.Exchange(ref _armed, 1);
    }

    /// <summary>Takes the signal back. False when it is being given already: then it must be waited for.</summary>
    public bool TryDisarm() => Interlocked.Exchange(ref _armed, 0) == 1;

    public ValueTask WaitAsync() => new(this, _core.Version);

    /// <param name="inline">Run the session on this thread; only for threads that have nothing else to do.</param>
    public void Set(bool inline)
    {
        if (Interlocked.Exchange(ref _armed, 0) == 1)
        {
            _core.RunContinuationsAsynchronously = !inline;
            _core.SetResult(true);
        }
    }

    void IValueTaskSource.GetResult(short token) => _core.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
