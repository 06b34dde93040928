using System.Buffers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;

namespace EventMail.Protocols.Smtp.Client;

/// <summary>
/// The octets of one connection: replies in, commands out, under a clock. What goes wrong comes as a <see cref="RemoteReply"/> with a
/// fault, and stays: nothing is read or written behind it. One reader and one writer at a time.
/// </summary>
internal sealed class ClientWire : IAsyncDisposable
{
    private readonly Stream _transport;
    private readonly Socket? _socket;
    private readonly CancellationTokenSource _clock = new();
    private readonly byte[] _input;
    private Stream _stream;
    private CancellationToken _caller;
    private long _deadline = long.MaxValue;
    private int _start;
    private int _end;
    private bool _writeFailed;
    private bool _disposed;

    /// <param name="socket">Below the transport; null in memory.</param>
    public ClientWire(Stream transport, Socket? socket, ClientLimits limits)
    {
        (_transport, _socket, _stream, Limits) = (transport, socket, transport, limits);
        _input = new byte[limits.ReplyLine];
    }

    /// <summary>Sent by the next <see cref="FlushAsync"/>.</summary>
    public ArrayBufferWriter<byte> Output { get; } = new(1024);

    public SslStream? Ssl { get; private set; }

    /// <summary>What ended the connection; null while it is there.</summary>
    public RemoteReply? Fault { get; private set; }

    public ClientLimits Limits { get; }

    /// <summary>Replies are UTF-8: the transaction is SMTPUTF8 (RFC 6531 §3.5).</summary>
    public bool Utf8 { get; set; }

    /// <summary>
    /// Something came that was not asked for: a reply ahead of its command, or the end of the connection. Inside TLS only what was
    /// read already: what waits in the socket may be TLS's own.
    /// </summary>
    public bool HasInput => _start < _end || (Ssl is null && _socket is not null && IsReadable(_socket));

    /// <summary>The same without the end of the connection.</summary>
    public bool HasOctets => HasInput && (_start < _end || _socket!.Available > 0);

    /// <summary>From now on all that follows has so much time together, beside that of each; null: no more.</summary>
    public void Bound(TimeSpan? total) =>
        _deadline = total is { } time ? Environment.TickCount64 + (long)time.TotalMilliseconds : long.MaxValue;

    /// <summary>Lets cancelling end what is under way, until disposed.</summary>
    public CancellationTokenRegistration Attach(CancellationToken cancel)
    {
        _caller = cancel;
        return cancel.UnsafeRegister(clock => ((CancellationTokenSource)clock!).Cancel(), _clock);
    }

    /// <summary>
    /// The next reply. The time is for all of it, so that one that drips in gets no more. What was sent need not be out yet.
    /// </summary>
    public async ValueTask<RemoteReply> ReadAsync(TimeSpan timeout)
    {
        if (Fault is not null)
        {
            return Fault;
        }

        var parser = new ReplyParser(Limits, Utf8);
        try
        {
            var timed = false;
            while (true)
            {
                while (TakeLine() is { } line)
                {
                    if (parser.Add(line.Span) is { } reply)
                    {
                        return reply.Ends ? End(reply) : reply;
                    }
                }

                if (_end == _input.Length && _start == 0)
                {
                    return End(RemoteReply.Garbage($"A reply line of more than {Limits.ReplyLine} octets"));
                }

                if (!timed)
                {
                    timed = true;
                    _clock.CancelAfter(Within(timeout));
                }

                if (_start > 0)
                {
                    _input.AsSpan(_start, _end - _start).CopyTo(_input);
                    (_start, _end) = (0, _end - _start);
                }

                var count = await _stream.ReadAsync(_input.AsMemory(_end), _clock.Token).ConfigureAwait(false);
                if (count == 0)
                {
                    return End(RemoteReply.Lost("The remote host closed the connection"));
                }

                _end += count;
            }
        }
        catch (Exception e) when (IsLoss(e))
        {
            return End(FaultOf(e, timeout));
        }
        finally
        {
            _clock.CancelAfter(Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Sends what was written.</summary>
    /// <inheritdoc cref="SendAsync"/>
    public ValueTask<bool> FlushAsync(TimeSpan? timeout = null) => SendAsync(TakeOutput(), timeout);

    /// <summary>What was written, to be sent before anything else is written.</summary>
    public ReadOnlyMemory<byte> TakeOutput()
    {
        var octets = Output.WrittenMemory;
        Output.ResetWrittenCount();
        return octets;
    }

    /// <param name="timeout">Until the system has taken it; null where a read beside it keeps the time.</param>
    /// <returns>False when that failed: a reply may be there all the same.</returns>
    public async ValueTask<bool> SendAsync(ReadOnlyMemory<byte> octets, TimeSpan? timeout)
    {
        if (Fault is not null || _writeFailed)
        {
            return false;
        }

        try
        {
            if (timeout is { } time)
            {
                _clock.CancelAfter(Within(time));
            }

            await _stream.WriteAsync(octets, _clock.Token).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException e)
        {
            End(FaultOf(e, timeout ?? TimeSpan.Zero));
            return false;
        }
        catch (Exception e) when (IsLoss(e))
        {
            // What the host said before it closed can be read still.
            _writeFailed = true;
            return false;
        }
        finally
        {
            if (timeout is not null)
            {
                _clock.CancelAfter(Timeout.InfiniteTimeSpan);
            }
        }
    }

    /// <summary>Shakes hands; everything that follows is inside.</summary>
    /// <returns>Null when it succeeded.</returns>
    public async Task<string?> StartTlsAsync(SslClientAuthenticationOptions options, TimeSpan timeout)
    {
        var ssl = new SslStream(_stream);
        try
        {
            _clock.CancelAfter(timeout);
            await ssl.AuthenticateAsClientAsync(options, _clock.Token).ConfigureAwait(false);
            (_stream, Ssl) = (ssl, ssl);
            return null;
        }
        // ArgumentException: a host's name that cannot be an SNI.
        catch (Exception e) when (IsLoss(e) || e is AuthenticationException or ArgumentException)
        {
            await ssl.DisposeAsync().ConfigureAwait(false);
            var fault = End(FaultOf(e, timeout));
            return fault.Fault is ReplyFault.TimedOut ? $"No end of the TLS handshake within {(long)timeout.TotalSeconds} s"
                : ReplyText.OneLine(e.InnerException is { } inner ? $"{e.Message} {inner.Message}" : e.Message, Limits.Text);
        }
        finally
        {
            _clock.CancelAfter(Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Nothing is said over this connection any more; a write that is under way is given up.</summary>
    public RemoteReply End(RemoteReply fault)
    {
        if (Fault is null)
        {
            Fault = fault;
            _clock.Cancel();
        }

        return Fault;
    }

    /// <summary>Says close_notify, where there is somebody to hear it (RFC 8446 §6.1).</summary>
    public async ValueTask CloseTlsAsync(TimeSpan timeout)
    {
        if (Fault is not null || Ssl is null)
        {
            return;
        }

        try
        {
            await Ssl.ShutdownAsync().WaitAsync(timeout).ConfigureAwait(false);
        }
        catch (Exception e) when (IsLoss(e) || e is TimeoutException)
        {
            End(RemoteReply.Lost(e.Message));
        }
    }

    /// <summary>Cuts the connection without a word: what was sent of a message has no end then. May be called again.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        End(RemoteReply.Lost("The connection was closed here"));
        if (Ssl is not null)
        {
            await Ssl.DisposeAsync().ConfigureAwait(false);
        }

        await _transport.DisposeAsync().ConfigureAwait(false);
        _socket?.Dispose();
        _clock.Dispose();
    }

    internal static bool IsLoss(Exception e) =>
        e is IOException or SocketException or ObjectDisposedException or OperationCanceledException;

    private static bool IsReadable(Socket socket)
    {
        try
        {
            return socket.Poll(0, SelectMode.SelectRead);
        }
        catch (Exception e) when (IsLoss(e))
        {
            return true;
        }
    }

    private RemoteReply FaultOf(Exception e, TimeSpan timeout) =>
        e is not OperationCanceledException ? RemoteReply.Lost($"The connection was lost: {ReplyText.OneLine(e.Message, Limits.Text)}")
        : _caller.IsCancellationRequested ? RemoteReply.Cancelled
        : Environment.TickCount64 >= _deadline ? RemoteReply.TooSlow
        : RemoteReply.TimedOut(timeout);

    private TimeSpan Within(TimeSpan timeout)
    {
        if (_deadline == long.MaxValue)
        {
            return timeout;
        }

        var left = TimeSpan.FromMilliseconds(Math.Max(0, _deadline - Environment.TickCount64));
        return left < timeout ? left : timeout;
    }

    // A line ends at LF; a bare one is taken, for nothing of ours depends on how they end a line.
    private ReadOnlyMemory<byte>? TakeLine()
    {
        var length = _input.AsSpan(_start, _end - _start).IndexOf((byte)'\n');
        if (length < 0)
        {
            return null;
        }

        var line = _input.AsMemory(_start, length);
        _start += length + 1;
        return line.Span.EndsWith("\r"u8) ? line[..^1] : line;
    }
}
