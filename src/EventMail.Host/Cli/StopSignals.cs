using System.Runtime.InteropServices;

namespace EventMail.Host.Cli;

/// <summary>Ctrl-C, SIGTERM and the terminal's end: the first asks to stop, the second to stop at once, the third is not caught.</summary>
public sealed class StopSignals : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _atOnce = new();
    private readonly PosixSignalRegistration[] _registrations;
    private int _received;

    public StopSignals() => _registrations =
    [
        PosixSignalRegistration.Create(PosixSignal.SIGINT, Receive),
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, Receive),
        PosixSignalRegistration.Create(PosixSignal.SIGHUP, Receive),
    ];

    /// <summary>Stop gracefully.</summary>
    public CancellationToken Stop => _stop.Token;

    /// <summary>Stop without waiting for anyone; the database is still stopped in order.</summary>
    public CancellationToken AtOnce => _atOnce.Token;

    private void Receive(PosixSignalContext signal)
    {
        var count = Interlocked.Increment(ref _received);
        signal.Cancel = count < 3;
        if (count == 1)
            _stop.Cancel();
        else if (count == 2)
            _atOnce.Cancel();
    }

    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
        _stop.Dispose();
        _atOnce.Dispose();
    }
}
