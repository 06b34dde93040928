using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using System.Security.Authentication;

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

    private readonly IDuplexPipe _transport;
    private readonly Action _abort;
    private readonly WireTraces? _traces;
    private readonly ConnectionInput _input;
    private readonly LineInput _lines;
    private CompressionLayer? _compression;
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
        _input = new(transport.Input);
        _lines = new(_input);
        Output = transport.Output;
        Details = details;
        Tls = tls;
        Deadlines.Shared.Add(this);
        traces?.Attach(this);
    }

    public ConnectionDetails Details { get; }

    /// <summary>What lists of connections show of it.</summary>
    public ConnectionFacts Facts { get; } = new();

    /// <summary>The certificates to upgrade with, or null where TLS is not on offer.</summary>
    public ServerTls? Tls { get; }

    public PipeWriter Output { get; private set; }

    /// <summary>How long a line may take from its first byte to its end.</summary>
    public TimeSpan LineTimeout
    {
        get => _lines.LineTimeout;
        set => _lines.LineTimeout = value;
    }

    /// <summary>How long a client may take nothing of what is sent before the connection is cut.</summary>
    public TimeSpan WriteTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>The TLS layer once it is up; its channel binding and cipher are read from it.</summary>
    public SslStream? Ssl { get; private set; }

    public bool IsTls => Ssl is not null;

    /// <summary>Both directions are deflated, below what is read and written here and above TLS.</summary>
    public bool IsCompressed => _compression is not null;

    /// <summary>The input ended because it was not deflate, not because the client left.</summary>
    public bool IsInputCorrupt => _compression is { IsInputOver: true };

    /// <summary>Where to tell what was received and sent; null unless an operator asked for it. May change at any moment.</summary>
    public WireTrace? Trace { get; internal set; }

    /// <summary>A password may cross this connection: it is encrypted, or local and the operator allowed it.</summary>
    public bool MaySendPassword => IsTls || (Details.AllowPlaintextLogin && (Details.PlaintextFromAnywhere || IPAddress.IsLoopback(Details.ClientAddress)));

    public bool IsStopping => _input.IsStopping;

    /// <summary>Ends a pending or the next read with <see cref="ReadStatus.Woken"/>. Thread-safe; many wakes are one.</summary>
    public void Wake() => _input.Raise(ConnectionInput.Event.Woken);

    /// <summary>Asks the session to finish its command or transaction and leave. Thread-safe.</summary>
    public void Stop() => _input.Raise(ConnectionInput.Event.Stopping);

    /// <summary>Cuts the connection at once: reads answer Closed from now on. Thread-safe.</summary>
    public void Abort()
    {
        _input.Raise(ConnectionInput.Event.Aborted);
        _abort();
    }

    internal void CheckDeadlines(long now)
    {
        _input.CheckDeadline(now);
        if (Volatile.Read(ref _writeDeadline) <= now)
        {
            // A client that does not read cannot be told anything either.
            Abort();
        }
    }

    /// <summary>
    /// Waits for input. After <see cref="ReadStatus.Data"/> and <see cref="ReadStatus.Closed"/> call <see cref="AdvanceTo(SequencePosition)"/>
    /// before the next read. A wake-up or a stop that came in between is told first, before any data.
    /// </summary>
    /// <param name="timeout">How long to wait for one more byte; Timeout.InfiniteTimeSpan for ever.</param>
    public ValueTask<(ReadStatus Status, ReadOnlySequence<byte> Buffer)> ReadAsync(TimeSpan timeout) => _input.ReadAsync(timeout);

    /// <summary>
    /// The same where a session waits for its client's next command: what a silent connection does not need is let go meanwhile.
    /// </summary>
    public ValueTask<(ReadStatus Status, ReadOnlySequence<byte> Buffer)> ReadIdleAsync(TimeSpan timeout) =>
        _compression is { HoldsState: true } ? ReadAndReleaseAsync(_compression, timeout) : ReadAsync(timeout);

    private async ValueTask<(ReadStatus Status, ReadOnlySequence<byte> Buffer)> ReadAndReleaseAsync(CompressionLayer layer, TimeSpan timeout)
    {
        var patience = CompressionStates.Patience;
        if (timeout != Timeout.InfiniteTimeSpan && timeout <= patience)
        {
            return await ReadAsync(timeout).ConfigureAwait(false);
        }

        if (patience > TimeSpan.Zero)
        {
            var read = await ReadAsync(patience).ConfigureAwait(false);
            if (read.Status != ReadStatus.TimedOut)
            {
                return read;
            }
        }

        layer.Release();
        return await ReadAsync(timeout == Timeout.InfiniteTimeSpan ? timeout : timeout - patience).ConfigureAwait(false);
    }

    /// <summary>What is there already, without waiting. The rules of <see cref="ReadAsync"/> hold.</summary>
    public bool TryRead(out (ReadStatus Status, ReadOnlySequence<byte> Buffer) result) => _input.TryRead(out result);

    /// <summary>Marks everything before <paramref name="consumed"/> as done with; what follows is offered again at once.</summary>
    public void AdvanceTo(SequencePosition consumed) => _input.AdvanceTo(consumed, consumed);

    /// <summary>The same, where the next read waits for more than was <paramref name="examined"/>.</summary>
    public void AdvanceTo(SequencePosition consumed, SequencePosition examined) => _input.AdvanceTo(consumed, examined);

    /// <summary>
    /// Reads one line, without its line end, into <paramref name="line"/> (which is cleared first). A line ends at LF; a CR before
    /// it is dropped; <see cref="Line.EndedWithCrLf"/> tells which it was, for protocols that must not accept a bare LF.
    /// A line longer than the limit is skipped to its end and reported as <see cref="LineStatus.TooLong"/>.
    /// After an interruption in the middle of a line the next call, with the same <paramref name="line"/>, goes on with it.
    /// </summary>
    /// <param name="maxLength">In bytes, without the line end.</param>
    public ValueTask<LineStatus> ReadLineAsync(Line line, int maxLength, TimeSpan timeout) => _lines.ReadLineAsync(line, maxLength, timeout);

    /// <summary>The same for a line that is there as a whole, without waiting; what there is of it is kept for the next call.</summary>
    public bool TryReadLine(Line line, int maxLength, out LineStatus status) => _lines.TryReadLine(line, maxLength, out status);

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

            return await flush.ConfigureAwait(false) is { IsCompleted: false, IsCanceled: false };
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

        if (_input.IsReading)
        {
            throw new InvalidOperationException("The session must not upgrade while it waits for input.");
        }

        var ssl = new SslStream(new DuplexPipeStream(_transport));
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(HandshakeTimeout);
        try
        {
            await ssl.AuthenticateAsServerAsync(Tls.Select, null, limit.Token).ConfigureAwait(false);
            if (Tls.CipherSuites is { } accepted && !accepted.Contains(ssl.NegotiatedCipherSuite))
            {
                throw new AuthenticationException($"The cipher suite {ssl.NegotiatedCipherSuite} is not accepted.");
            }
        }
        catch
        {
            await ssl.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        // Zero-byte reads: no buffer is rented while the client is silent.
        _input.Replace(PipeReader.Create(
            ssl, new StreamPipeReaderOptions(bufferSize: 4096, minimumReadSize: 1024, leaveOpen: true, useZeroByteReads: true)));
        Output = PipeWriter.Create(ssl, new StreamPipeWriterOptions(minimumBufferSize: 4096, leaveOpen: true));
        Ssl = ssl;
        return TlsUpgrade.Done;
    }

    /// <summary>
    /// Deflates everything from here on, in both directions (RFC 4978 §3). Everything that was written must have been flushed; what
    /// the client has sent behind is deflated already.
    /// </summary>
    public void StartCompression()
    {
        if (_compression is not null || _input.IsReading)
        {
            throw new InvalidOperationException("The session must not compress twice, nor while it waits for input.");
        }

        _compression = new(_input.Pipe, Output);
        _input.Replace(_compression.Input);
        Output = _compression.Output;
    }

    /// <summary>Something of zlib's is held for it.</summary>
    internal bool HoldsCompressionState => _compression is { HoldsState: true };

    /// <summary>What <see cref="ReadIdleAsync"/> does once the client has been silent.</summary>
    internal void ReleaseCompression() => _compression?.Release();

    /// <summary>Ends it in both directions (RFC 8437 §4.1). Everything that was written must have been flushed.</summary>
    /// <returns>False when the client has sent more through it: then the connection must be closed.</returns>
    public bool EndCompression()
    {
        if (_compression is not { } layer)
        {
            return true;
        }

        if (_input.IsReading)
        {
            throw new InvalidOperationException("The session must not change the layer while it waits for input.");
        }

        _compression = null;
        Output = layer.PlainOutput;
        _input.Replace(layer.PlainInput);
        return layer.End();
    }

    public async ValueTask DisposeAsync()
    {
        _traces?.Detach(this);
        Volatile.Write(ref _writeDeadline, Environment.TickCount64 + (long)GoodbyeTimeout.TotalMilliseconds);
        try
        {
            await _input.EndReadAsync().ConfigureAwait(false);
            EndCompression();
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

    private async Task CloseTlsAsync(SslStream ssl)
    {
        await using (ssl.ConfigureAwait(false))
        {
            await _input.CompleteAsync().ConfigureAwait(false);
            await Output.CompleteAsync().ConfigureAwait(false);
            await ssl.ShutdownAsync().ConfigureAwait(false);
        }
    }

    /// <summary>The peer or the transport is gone: nothing to report, the session just ends.</summary>
    internal static bool IsLoss(Exception e) => e is IOException or OperationCanceledException or ObjectDisposedException;
}
