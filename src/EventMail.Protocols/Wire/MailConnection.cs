using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using System.Runtime.CompilerServices;

namespace EventMail.Protocols.Wire;

/// <summary>
/// One client's connection: the pipe, its deadlines, its wake-ups and the TLS upgrade. Used by one session loop at a time;
/// only <see cref="Wake"/>, <see cref="Stop"/> and <see cref="Abort"/> may be called from elsewhere.
/// No timer and no buffer is held while a connection idles, so that ten thousand of them cost little.
/// </summary>
public sealed class MailConnection : IAsyncDisposable
{
    /// <summary>How long a TLS handshake may take.</summary>
    public static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(30);

    // How long the last words (close_notify) may take.
    private static readonly TimeSpan GoodbyeTimeout = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(1);
    private const long MaxDrained = 1 << 20;

    private const int WokenFlag = 1;
    private const int StoppingFlag = 2;
    private const int TimedOutFlag = 4;
    private const int AbortedFlag = 8;

    private readonly IDuplexPipe _transport;
    private readonly Action _abort;
    private readonly WireTraces? _traces;
    private readonly ReadSignal _signal = new();
    private readonly Action _onReadDone;
    private PipeReader _input;
    private int _flags;
    private bool _stopAnnounced;
    private bool _wakeAfterLine;
    private bool _lineOpen;
    private long _lineStarted;

    // The pipe's read that outlived a wait: at most one, and only while _reading.
    private ConfiguredValueTaskAwaitable<ReadResult>.ConfiguredValueTaskAwaiter _read;
    private bool _reading;
    private volatile bool _readDone;
    private bool _mustAdvance;

    private long _readDeadline = long.MaxValue;
    private long _writeDeadline = long.MaxValue;

    /// <param name="abort">Cuts the transport at once.</param>
    public MailConnection(
        IDuplexPipe transport, ConnectionDetails details, ServerTls? tls = null, Action? abort = null, WireTraces? traces = null)
    {
        _transport = transport;
        _abort = abort ?? (() =>
        {
            transport.Input.CancelPendingRead();
            transport.Output.CancelPendingFlush();
        });
        _traces = traces;
        _onReadDone = OnReadDone;
        _input = transport.Input;
        Output = transport.Output;
        Details = details;
        Tls = tls;
        Deadlines.Shared.Add(this);
        traces?.Attach(this);
    }

    public ConnectionDetails Details { get; }

    /// <summary>The certificates to upgrade with, or null where TLS is not on offer.</summary>
    public ServerTls? Tls { get; }

    public PipeWriter Output { get; private set; }

    /// <summary>How long a line may take from its first byte to its end.</summary>
    public TimeSpan LineTimeout { get; set; } = Timeout.InfiniteTimeSpan;

    /// <summary>How long a client may take nothing of what is sent before the connection is cut.</summary>
    public TimeSpan WriteTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>The TLS layer once it is up; its channel binding and cipher are read from it.</summary>
    public SslStream? Ssl { get; private set; }

    public bool IsTls => Ssl is not null;

    /// <summary>Where to tell what was received and sent; null unless an operator asked for it. May change at any moment.</summary>
    public WireTrace? Trace { get; internal set; }

    /// <summary>A password may cross this connection: it is encrypted, or local and the operator allowed it.</summary>
    public bool MaySendPassword => IsTls || (Details.AllowPlaintextLogin && IPAddress.IsLoopback(Details.ClientAddress));

    public bool IsStopping => (Volatile.Read(ref _flags) & StoppingFlag) != 0;

    /// <summary>Ends a pending or the next read with <see cref="ReadStatus.Woken"/>. Thread-safe; many wakes are one.</summary>
    public void Wake() => Raise(WokenFlag);

    /// <summary>Asks the session to finish its command or transaction and leave. Thread-safe.</summary>
    public void Stop() => Raise(StoppingFlag);

    /// <summary>Cuts the connection at once: reads answer Closed from now on. Thread-safe.</summary>
    public void Abort()
    {
        Raise(AbortedFlag);
        _abort();
    }

    internal void CheckDeadlines(long now)
    {
        if (Volatile.Read(ref _readDeadline) <= now)
        {
            Raise(TimedOutFlag);
        }

        if (Volatile.Read(ref _writeDeadline) <= now)
        {
            // A client that does not read cannot be told anything either.
            Abort();
        }
    }

    private void Raise(int flag)
    {
        if ((Interlocked.Or(ref _flags, flag) & flag) == 0)
        {
            _signal.Set(inline: false);
        }
    }

    /// <summary>
    /// Waits for input. After <see cref="ReadStatus.Data"/> and <see cref="ReadStatus.Closed"/> call <see cref="AdvanceTo(SequencePosition)"/>
    /// before the next read. A wake-up or a stop that came in between is told first, before any data.
    /// </summary>
    /// <param name="timeout">How long to wait for one more byte; Timeout.InfiniteTimeSpan for ever.</param>
    public ValueTask<(ReadStatus Status, ReadOnlySequence<byte> Buffer)> ReadAsync(TimeSpan timeout)
    {
        if (TakeInterruption() is { } interruption)
        {
            return new((interruption, default));
        }

        return TryRead(out var result) ? new(result) : WaitAsync(timeout);
    }

    /// <summary>What is there already, without waiting. The rules of <see cref="ReadAsync"/> hold.</summary>
    public bool TryRead(out (ReadStatus Status, ReadOnlySequence<byte> Buffer) result)
    {
        if (_reading)
        {
            result = default;
            if (!_readDone)
            {
                return false;
            }

            result = FinishRead();
            return true;
        }

        try
        {
            if (_input.TryRead(out var read))
            {
                result = Answer(read);
                return true;
            }
        }
        catch (Exception e) when (IsLoss(e))
        {
            result = (ReadStatus.Closed, ReadOnlySequence<byte>.Empty);
            return true;
        }

        result = default;
        return false;
    }

    /// <summary>Marks everything before <paramref name="consumed"/> as done with; what follows is offered again at once.</summary>
    public void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    /// <summary>The same, where the next read waits for more than was <paramref name="examined"/>.</summary>
    public void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (_mustAdvance)
        {
            _mustAdvance = false;
            _input.AdvanceTo(consumed, examined);
        }
    }

    private async ValueTask<(ReadStatus Status, ReadOnlySequence<byte> Buffer)> WaitAsync(TimeSpan timeout)
    {
        var deadline = timeout == Timeout.InfiniteTimeSpan ? long.MaxValue : Environment.TickCount64 + (long)timeout.TotalMilliseconds;
        if (!_reading && BeginRead() is { } answer)
        {
            return answer;
        }

        while (true)
        {
            _signal.Arm();
            // A time-out raised for an earlier wait, a moment too late, is not this one's. Only once armed: a flag that is up
            // already signals nobody.
            Interlocked.And(ref _flags, ~TimedOutFlag);
            Volatile.Write(ref _readDeadline, deadline);
            if ((!_readDone && !IsInterrupted()) || !_signal.TryDisarm())
            {
                await _signal.WaitAsync().ConfigureAwait(false);
            }

            Volatile.Write(ref _readDeadline, long.MaxValue);
            if (_readDone)
            {
                return FinishRead();
            }

            if (TakeInterruption() is { } interruption)
            {
                return (interruption, default);
            }

            if ((Interlocked.And(ref _flags, ~TimedOutFlag) & TimedOutFlag) != 0 && Environment.TickCount64 >= deadline)
            {
                return (ReadStatus.TimedOut, default);
            }
        }
    }

    // Null when the read is pending: OnReadDone will tell.
    private (ReadStatus, ReadOnlySequence<byte>)? BeginRead()
    {
        try
        {
            var read = _input.ReadAsync().ConfigureAwait(false).GetAwaiter();
            if (read.IsCompleted)
            {
                return Answer(read.GetResult());
            }

            (_read, _readDone, _reading) = (read, false, true);
            read.UnsafeOnCompleted(_onReadDone);
            return null;
        }
        catch (Exception e) when (IsLoss(e))
        {
            return (ReadStatus.Closed, ReadOnlySequence<byte>.Empty);
        }
    }

    private void OnReadDone()
    {
        _readDone = true;
        // Inline: the transport runs continuations on the thread pool already.
        _signal.Set(inline: true);
    }

    private (ReadStatus Status, ReadOnlySequence<byte> Buffer) FinishRead()
    {
        (_reading, _readDone) = (false, false);
        try
        {
            return Answer(_read.GetResult());
        }
        catch (Exception e) when (IsLoss(e))
        {
            // The peer vanished or the connection was aborted: for the session it is a close.
            return (ReadStatus.Closed, ReadOnlySequence<byte>.Empty);
        }
        finally
        {
            _read = default;
        }
    }

    private (ReadStatus Status, ReadOnlySequence<byte> Buffer) Answer(ReadResult read)
    {
        _mustAdvance = true;
        return (read.IsCompleted || read.IsCanceled ? ReadStatus.Closed : ReadStatus.Data, read.Buffer);
    }

    private bool IsInterrupted()
    {
        var flags = Volatile.Read(ref _flags);
        return (flags & (WokenFlag | AbortedFlag)) != 0 || ((flags & StoppingFlag) != 0 && !_stopAnnounced);
    }

    private ReadStatus? TakeInterruption()
    {
        if (!IsInterrupted())
        {
            return null;
        }

        var flags = Volatile.Read(ref _flags);
        if ((flags & AbortedFlag) != 0)
        {
            return ReadStatus.Closed;
        }

        if ((flags & StoppingFlag) != 0 && !_stopAnnounced)
        {
            _stopAnnounced = true;
            return ReadStatus.Stopping;
        }

        Interlocked.And(ref _flags, ~WokenFlag);
        return ReadStatus.Woken;
    }

    /// <summary>
    /// Reads one line, without its line end, into <paramref name="line"/> (which is cleared first). A line ends at LF; a CR before
    /// it is dropped; <see cref="Line.EndedWithCrLf"/> tells which it was, for protocols that must not accept a bare LF.
    /// A line longer than the limit is skipped to its end and reported as <see cref="LineStatus.TooLong"/>.
    /// After an interruption in the middle of a line the next call, with the same <paramref name="line"/>, goes on with it.
    /// </summary>
    /// <param name="maxLength">In bytes, without the line end.</param>
    public ValueTask<LineStatus> ReadLineAsync(Line line, int maxLength, TimeSpan timeout)
    {
        if (!_lineOpen)
        {
            line.Clear();
        }

        _lineOpen = false;
        if (!IsInterrupted() && TryRead(out var read) && TryTakeLine(line, maxLength, read) is { } status)
        {
            return new(status);
        }

        return FinishLineAsync(line, maxLength, timeout);
    }

    /// <summary>
    /// The client has sent more already (or has closed): replies can wait and go out together (RFC 2920 §3.2). To be asked between
    /// commands only.
    /// </summary>
    public bool HasBufferedInput
    {
        get
        {
            if (!TryRead(out var read))
            {
                return false;
            }

            AdvanceTo(read.Buffer.Start);
            return read.Status == ReadStatus.Closed || !read.Buffer.IsEmpty;
        }
    }

    /// <summary>The same for a line that is there as a whole, without waiting; what there is of it is kept for the next call.</summary>
    public bool TryReadLine(Line line, int maxLength, out LineStatus status)
    {
        status = default;
        if (IsInterrupted())
        {
            return false;
        }

        if (!_lineOpen)
        {
            line.Clear();
        }

        if (TryRead(out var read))
        {
            var whole = TryTakeLine(line, maxLength, read);
            status = whole.GetValueOrDefault();
            _lineOpen = whole is null;
            return whole is not null;
        }

        return false;
    }

    private TimeSpan LinePatience(Line line, TimeSpan timeout)
    {
        if (line.IsEmpty || LineTimeout == Timeout.InfiniteTimeSpan)
        {
            return timeout;
        }

        var left = LineTimeout - TimeSpan.FromMilliseconds(Environment.TickCount64 - _lineStarted);
        return left < TimeSpan.Zero ? TimeSpan.Zero : timeout == Timeout.InfiniteTimeSpan || left < timeout ? left : timeout;
    }

    private async ValueTask<LineStatus> FinishLineAsync(Line line, int maxLength, TimeSpan timeout)
    {
        while (true)
        {
            var read = await ReadAsync(LinePatience(line, timeout)).ConfigureAwait(false);
            switch (read.Status)
            {
                case ReadStatus.Data or ReadStatus.Closed:
                    if (TryTakeLine(line, maxLength, read) is { } status)
                    {
                        return status;
                    }

                    break;
                case ReadStatus.TimedOut:
                    _lineOpen = true;
                    return LineStatus.TimedOut;
                case ReadStatus.Stopping:
                    _lineOpen = true;
                    return LineStatus.Stopping;
                case ReadStatus.Woken when line.IsEmpty:
                    return LineStatus.Woken;
                case ReadStatus.Woken:
                    // In the middle of a line it waits until the line is whole.
                    _wakeAfterLine = true;
                    break;
            }
        }
    }

    // Null when the line is not whole yet. What came of it is then in the line's own buffer, so that the pipe never has to hold it.
    private LineStatus? TryTakeLine(Line line, int maxLength, (ReadStatus Status, ReadOnlySequence<byte> Buffer) read)
    {
        if (read.Buffer.PositionOf((byte)'\n') is not { } end)
        {
            if (line.IsEmpty)
            {
                _lineStarted = Environment.TickCount64;
            }

            line.Append(read.Buffer, maxLength + 1);
            AdvanceTo(read.Buffer.End);
            return read.Status == ReadStatus.Closed ? LineStatus.Closed : null;
        }

        line.Append(read.Buffer.Slice(0, end), maxLength + 1);
        AdvanceTo(read.Buffer.GetPosition(1, end));
        line.TrimLineEnd();
        if (_wakeAfterLine)
        {
            _wakeAfterLine = false;
            Wake();
        }

        return line.Overflowed || line.Length > maxLength ? LineStatus.TooLong : LineStatus.Line;
    }

    /// <summary>Sends what was written to <see cref="Output"/>.</summary>
    /// <returns>False when the client is gone.</returns>
    public async ValueTask<bool> FlushAsync()
    {
        try
        {
            var flush = Output.FlushAsync();
            if (!flush.IsCompleted)
            {
                Volatile.Write(ref _writeDeadline, Environment.TickCount64 + (long)WriteTimeout.TotalMilliseconds);
            }

            return !(await flush.ConfigureAwait(false)).IsCompleted;
        }
        catch (Exception e) when (IsLoss(e))
        {
            return false;
        }
        finally
        {
            Volatile.Write(ref _writeDeadline, long.MaxValue);
        }
    }

    /// <summary>
    /// Before closing on a client that is still talking: takes some of what it sends, since a socket that is closed over unread
    /// input is reset and may lose the last reply on its way.
    /// </summary>
    public async ValueTask DrainAsync()
    {
        var until = Environment.TickCount64 + (long)DrainTime.TotalMilliseconds;
        for (long taken = 0; taken < MaxDrained && HasBufferedInput;)
        {
            var left = until - Environment.TickCount64;
            if (left <= 0)
            {
                return;
            }

            var (status, buffer) = await ReadAsync(TimeSpan.FromMilliseconds(left)).ConfigureAwait(false);
            if (status is ReadStatus.Closed or ReadStatus.TimedOut)
            {
                return;
            }

            taken += buffer.Length;
            AdvanceTo(buffer.End);
            // A moment for what is under way.
            await Task.Yield();
        }
    }

    /// <summary>
    /// Upgrades to TLS: sends <paramref name="goAhead"/>, then shakes hands. Plaintext that the client had already sent behind its
    /// STARTTLS is an injection attempt (RFC 3207 §6, RFC 9051 §11.3): it is refused before the go-ahead, and the connection must be
    /// closed. What arrives later can only be read as a handshake.
    /// </summary>
    /// <param name="goAhead">The whole positive reply, with its CRLF.</param>
    /// <exception cref="IOException">The handshake failed (also AuthenticationException, OperationCanceledException).</exception>
    public async Task<TlsUpgrade> StartTlsAsync(ReadOnlyMemory<byte> goAhead, CancellationToken cancel)
    {
        if (Tls is null || IsTls)
        {
            return TlsUpgrade.NotOffered;
        }

        if (HasBufferedInput)
        {
            return TlsUpgrade.PlaintextBuffered;
        }

        Output.Write(goAhead.Span);
        await FlushAsync().ConfigureAwait(false);
        return await AcceptTlsAsync(cancel).ConfigureAwait(false);
    }

    /// <summary>Shakes hands at once, as a listener with implicit TLS does (RFC 8314 §3).</summary>
    /// <exception cref="IOException">The handshake failed (also AuthenticationException, OperationCanceledException).</exception>
    public async Task<TlsUpgrade> AcceptTlsAsync(CancellationToken cancel)
    {
        if (Tls is null || IsTls)
        {
            return TlsUpgrade.NotOffered;
        }

        if (_reading)
        {
            throw new InvalidOperationException("The session must not upgrade while it waits for input.");
        }

        var ssl = new SslStream(new DuplexPipeStream(_transport));
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(HandshakeTimeout);
        try
        {
            await ssl.AuthenticateAsServerAsync(Tls.Select, null, limit.Token).ConfigureAwait(false);
        }
        catch
        {
            await ssl.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        // Zero-byte reads: no buffer is rented while the client is silent.
        _input = PipeReader.Create(ssl, new StreamPipeReaderOptions(bufferSize: 4096, minimumReadSize: 1024, leaveOpen: true, useZeroByteReads: true));
        Output = PipeWriter.Create(ssl, new StreamPipeWriterOptions(minimumBufferSize: 4096, leaveOpen: true));
        Ssl = ssl;
        return TlsUpgrade.Done;
    }

    public async ValueTask DisposeAsync()
    {
        _traces?.Detach(this);
        Volatile.Write(ref _writeDeadline, Environment.TickCount64 + (long)GoodbyeTimeout.TotalMilliseconds);
        try
        {
            await EndReadAsync().ConfigureAwait(false);
            if (Ssl is not null)
            {
                await CloseTlsAsync(Ssl).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (IsLoss(e) || e is InvalidOperationException)
        {
            // The peer was gone before close_notify could be sent; there is nobody left to tell.
            Abort();
        }
        finally
        {
            Deadlines.Shared.Remove(this);
        }
    }

    // A pipe must not be completed under a read: its buffers would go back to the pool while they are being filled.
    private async ValueTask EndReadAsync()
    {
        if (!_reading)
        {
            return;
        }

        _input.CancelPendingRead();
        while (!_readDone)
        {
            _signal.Arm();
            if (!_readDone || !_signal.TryDisarm())
            {
                await _signal.WaitAsync().ConfigureAwait(false);
            }
        }

        var (_, buffer) = FinishRead();
        AdvanceTo(buffer.Start, buffer.End);
    }

    private async Task CloseTlsAsync(SslStream ssl)
    {
        await using (ssl.ConfigureAwait(false))
        {
            await _input.CompleteAsync().ConfigureAwait(false);
            await Output.CompleteAsync().ConfigureAwait(false);
            await ssl.ShutdownAsync().ConfigureAwait(false);
        }
    }

    private static bool IsLoss(Exception e) => e is IOException or OperationCanceledException or ObjectDisposedException;
}
