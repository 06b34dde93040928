using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Security;

namespace EventMail.Protocols.Wire;

/// <summary>
/// One client's connection: the pipe, its deadline, its wake-ups and the TLS upgrade. Used by one session loop at a time;
/// only <see cref="Wake"/>, <see cref="Stop"/> and <see cref="Abort"/> may be called from elsewhere.
/// No timer and no buffer is held while a connection idles, so that ten thousand of them cost little.
/// </summary>
public sealed class MailConnection : IAsyncDisposable
{
    private const int WokenFlag = 1;
    private const int StoppingFlag = 2;
    private const int TimedOutFlag = 4;

    private readonly IDuplexPipe _transport;
    private readonly Action _abort;
    private int _flags;
    private int _announced;
    private bool _pendingWake;
    private SslStream? _ssl;

    public MailConnection(IDuplexPipe transport, ConnectionDetails details, ServerTls? tls = null, Action? abort = null)
    {
        _transport = transport;
        _abort = abort ?? (() => transport.Input.CancelPendingRead());
        Details = details;
        Tls = tls;
        Input = transport.Input;
        Output = transport.Output;
        Deadlines.Shared.Add(this);
    }

    public ConnectionDetails Details { get; }

    /// <summary>The certificates to upgrade with, or null where TLS is not on offer.</summary>
    public ServerTls? Tls { get; }

    public PipeReader Input { get; private set; }

    public PipeWriter Output { get; private set; }

    /// <summary>The TLS layer once it is up; its channel binding and cipher are read from it.</summary>
    public SslStream? Ssl => _ssl;

    public bool IsTls => _ssl is not null;

    /// <summary>A password may cross this connection: it is encrypted, or local and the operator allowed it.</summary>
    public bool MaySendPassword => IsTls || (Details.AllowPlaintextLogin && IPAddress.IsLoopback(Details.ClientAddress));

    /// <summary>Environment.TickCount64 at which a pending read times out; long.MaxValue for never.</summary>
    internal long DeadlineTick { get; private set; } = long.MaxValue;

    public bool IsStopping => (Volatile.Read(ref _flags) & StoppingFlag) != 0;

    /// <summary>Ends a pending or the next read with <see cref="ReadStatus.Woken"/>. Thread-safe; many wakes are one.</summary>
    public void Wake() => Raise(WokenFlag);

    /// <summary>Asks the session to finish its command or transaction and leave. Thread-safe.</summary>
    public void Stop() => Raise(StoppingFlag);

    /// <summary>Cuts the connection at once. Thread-safe.</summary>
    public void Abort() => _abort();

    internal void TimeOut() => Raise(TimedOutFlag);

    private void Raise(int flag)
    {
        if ((Interlocked.Or(ref _flags, flag) & flag) == 0)
        {
            Input.CancelPendingRead();
        }
    }

    /// <summary>
    /// Waits for input. On <see cref="ReadStatus.Data"/> and <see cref="ReadStatus.Closed"/> the caller must call
    /// Input.AdvanceTo for the buffer handed out; for the other answers nothing is left to advance.
    /// </summary>
    /// <param name="timeout">How long to wait for one more byte; Timeout.InfiniteTimeSpan for ever.</param>
    public async ValueTask<(ReadStatus Status, ReadOnlySequence<byte> Buffer)> ReadAsync(TimeSpan timeout)
    {
        while (true)
        {
            if (!Input.TryRead(out var result))
            {
                DeadlineTick = timeout == Timeout.InfiniteTimeSpan
                    ? long.MaxValue
                    : Environment.TickCount64 + (long)timeout.TotalMilliseconds;
                try
                {
                    result = await Input.ReadAsync().ConfigureAwait(false);
                }
                catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
                {
                    // The peer vanished or the connection was aborted: for the session it is a close.
                    return (ReadStatus.Closed, ReadOnlySequence<byte>.Empty);
                }
                finally
                {
                    DeadlineTick = long.MaxValue;
                }
            }

            if (!result.IsCanceled)
            {
                return (result.IsCompleted ? ReadStatus.Closed : ReadStatus.Data, result.Buffer);
            }

            // Nothing is examined: what was buffered is offered again by the next read.
            Input.AdvanceTo(result.Buffer.Start);
            var flags = Interlocked.And(ref _flags, StoppingFlag);
            if ((flags & StoppingFlag) != 0 && Interlocked.Or(ref _announced, StoppingFlag) == 0)
            {
                return (ReadStatus.Stopping, default);
            }

            if ((flags & TimedOutFlag) != 0)
            {
                return (ReadStatus.TimedOut, default);
            }

            if ((flags & WokenFlag) != 0)
            {
                return (ReadStatus.Woken, default);
            }
        }
    }

    /// <summary>
    /// Reads one line, without its line end, into <paramref name="line"/> (which is cleared first). A line ends at LF; a CR before
    /// it is dropped; <see cref="Line.EndedWithCrLf"/> tells which it was, for protocols that must not accept a bare LF.
    /// A line longer than the limit is skipped to its end and reported as <see cref="LineStatus.TooLong"/>.
    /// </summary>
    /// <param name="maxLength">In bytes, without the line end.</param>
    public async ValueTask<LineStatus> ReadLineAsync(Line line, int maxLength, TimeSpan timeout)
    {
        line.Clear();
        var tooLong = false;
        while (true)
        {
            var (status, buffer) = await ReadAsync(timeout).ConfigureAwait(false);
            if (status is not (ReadStatus.Data or ReadStatus.Closed))
            {
                // A wake-up in the middle of a line waits until the line is whole.
                if (status == ReadStatus.Woken && (line.Length > 0 || tooLong))
                {
                    _pendingWake = true;
                    continue;
                }

                return status switch
                {
                    ReadStatus.TimedOut => LineStatus.TimedOut,
                    ReadStatus.Stopping => LineStatus.Stopping,
                    _ => LineStatus.Woken,
                };
            }

            if (buffer.PositionOf((byte)'\n') is { } end)
            {
                if (!tooLong)
                {
                    line.Append(buffer.Slice(0, end));
                }

                Input.AdvanceTo(buffer.GetPosition(1, end));
                line.TrimLineEnd();
                if (_pendingWake)
                {
                    _pendingWake = false;
                    Wake();
                }

                return tooLong || line.Length > maxLength ? LineStatus.TooLong : LineStatus.Line;
            }

            if (status == ReadStatus.Closed)
            {
                Input.AdvanceTo(buffer.End);
                return LineStatus.Closed;
            }

            // Keep what came in the line's own buffer, so that the pipe never has to hold more than one segment.
            if (!tooLong)
            {
                line.Append(buffer);
                tooLong = line.Length > maxLength + 1;
            }

            Input.AdvanceTo(buffer.End);
        }
    }

    /// <summary>Sends what was written to <see cref="Output"/>.</summary>
    /// <returns>False when the client is gone.</returns>
    public async ValueTask<bool> FlushAsync()
    {
        try
        {
            var result = await Output.FlushAsync().ConfigureAwait(false);
            return !result.IsCompleted;
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            return false;
        }
    }

    /// <summary>
    /// Upgrades to TLS: sends <paramref name="goAhead"/>, then shakes hands. Plaintext that the client had already sent behind its
    /// STARTTLS is an injection attempt (RFC 3207 §6, RFC 9051 §11.3): it is refused before the go-ahead, and the connection must be
    /// closed. What arrives later can only be read as a handshake.
    /// </summary>
    /// <param name="goAhead">The whole positive reply, with its CRLF.</param>
    /// <exception cref="IOException">The handshake failed (also AuthenticationException).</exception>
    public async Task<TlsUpgrade> StartTlsAsync(ReadOnlyMemory<byte> goAhead, CancellationToken cancel)
    {
        if (Tls is null || IsTls)
        {
            return TlsUpgrade.NotOffered;
        }

        if (Input.TryRead(out var read))
        {
            var injected = !read.Buffer.IsEmpty;
            Input.AdvanceTo(read.Buffer.Start);
            if (injected)
            {
                return TlsUpgrade.PlaintextBuffered;
            }
        }

        Output.Write(goAhead.Span);
        await FlushAsync().ConfigureAwait(false);
        return await AcceptTlsAsync(cancel).ConfigureAwait(false);
    }

    /// <summary>Shakes hands at once, as a listener with implicit TLS does (RFC 8314 §3).</summary>
    /// <exception cref="IOException">The handshake failed (also AuthenticationException).</exception>
    public async Task<TlsUpgrade> AcceptTlsAsync(CancellationToken cancel)
    {
        if (Tls is null || IsTls)
        {
            return TlsUpgrade.NotOffered;
        }

        var ssl = new SslStream(new DuplexPipeStream(_transport));
        try
        {
            await ssl.AuthenticateAsServerAsync(Tls.Select, null, cancel).ConfigureAwait(false);
        }
        catch
        {
            await ssl.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        // Zero-byte reads: no buffer is rented while the client is silent.
        Input = PipeReader.Create(ssl, new StreamPipeReaderOptions(bufferSize: 4096, minimumReadSize: 1024, leaveOpen: true, useZeroByteReads: true));
        Output = PipeWriter.Create(ssl, new StreamPipeWriterOptions(minimumBufferSize: 4096, leaveOpen: true));
        _ssl = ssl;
        if (Volatile.Read(ref _flags) != 0)
        {
            Input.CancelPendingRead();
        }

        return TlsUpgrade.Done;
    }

    /// <summary>Puts another layer (COMPRESS=DEFLATE) between the session and the wire.</summary>
    public void ReplacePipes(PipeReader input, PipeWriter output)
    {
        Input = input;
        Output = output;
        if (Volatile.Read(ref _flags) != 0)
        {
            Input.CancelPendingRead();
        }
    }

    public async ValueTask DisposeAsync()
    {
        Deadlines.Shared.Remove(this);
        if (_ssl is null)
        {
            return;
        }

        try
        {
            await Input.CompleteAsync().ConfigureAwait(false);
            await Output.CompleteAsync().ConfigureAwait(false);
            await _ssl.ShutdownAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or InvalidOperationException or OperationCanceledException or ObjectDisposedException)
        {
            // The peer was gone before close_notify could be sent; there is nobody left to tell.
            Abort();
        }

        await _ssl.DisposeAsync().ConfigureAwait(false);
    }
}
