using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace EventMail.Testing.Transcripts;

/// <summary>
/// A mail client that says what it is told to and keeps a log of both sides for the message of a failed test.
/// Works over TCP or over a <see cref="MemoryConnection"/>. Not thread-safe.
/// </summary>
public sealed class ScriptedClient(Stream stream) : IAsyncDisposable
{
    private readonly StringBuilder _log = new();
    private Stream _stream = stream;
    private byte[] _buffer = new byte[4096];
    private int _start;
    private int _end;

    /// <summary>How long an answer may take before the test fails.</summary>
    public TimeSpan Patience { get; init; } = Waiting.Limit;

    public string Log => _log.ToString();

    public SslStream? Tls => _stream as SslStream;

    public static async Task<ScriptedClient> ConnectAsync(IPEndPoint server)
    {
        var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(server);
        return new(new NetworkStream(socket, ownsSocket: true));
    }

    public static Task<ScriptedClient> ConnectAsync(int port) => ConnectAsync(new IPEndPoint(IPAddress.Loopback, port));

    /// <summary>Sends a line (UTF-8) and its CRLF.</summary>
    public Task SendLineAsync(string line) => SendAsync(Encoding.UTF8.GetBytes(line + "\r\n"));

    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        Note("C", bytes.Span);
        using var limit = new CancellationTokenSource(Patience);
        await _stream.WriteAsync(bytes, limit.Token);
        await _stream.FlushAsync(limit.Token);
    }

    /// <summary>The next line without its CRLF, or null when the server has closed.</summary>
    public async Task<string?> ReadLineAsync()
    {
        var searched = 0;
        while (true)
        {
            var end = _buffer.AsSpan(_start + searched, _end - _start - searched).IndexOf((byte)'\n');
            if (end >= 0)
            {
                var line = _buffer.AsSpan(_start, searched + end + 1);
                _start += line.Length;
                Note("S", line);
                if (!line.EndsWith("\r\n"u8))
                {
                    throw Failure("the server sent a line that does not end in CRLF");
                }

                return Text(line[..^2]);
            }

            searched = _end - _start;
            if (!await FillAsync())
            {
                return searched == 0 ? null : throw Failure($"the server closed in the middle of a line: {Text(_buffer.AsSpan(_start, searched))}");
            }
        }
    }

    public async Task<byte[]> ReadExactlyAsync(int count)
    {
        while (_end - _start < count)
        {
            if (!await FillAsync())
            {
                throw Failure($"the server closed {count - (_end - _start)} bytes too early");
            }
        }

        var bytes = _buffer.AsSpan(_start, count).ToArray();
        _start += count;
        Note("S", bytes);
        return bytes;
    }

    /// <summary>The next line must be this one.</summary>
    public async Task ExpectAsync(string expected)
    {
        var line = await ReadLineAsync();
        if (line != expected)
        {
            throw Failure($"expected: {expected}\n     got: {line ?? "(closed)"}");
        }
    }

    /// <summary>The whole next line must match.</summary>
    public async Task<Match> ExpectMatchAsync(string pattern)
    {
        var line = await ReadLineAsync();
        var match = Regex.Match(line ?? "", $"^(?:{pattern})$", RegexOptions.CultureInvariant);
        return line is not null && match.Success ? match : throw Failure($"expected: {pattern}\n     got: {line ?? "(closed)"}");
    }

    /// <summary>Sends a line and returns the answer's first line.</summary>
    public async Task<string?> AskAsync(string line)
    {
        await SendLineAsync(line);
        return await ReadLineAsync();
    }

    /// <summary>The server must close, with nothing more to say. A reset counts: unread input makes one.</summary>
    public async Task ExpectClosedAsync()
    {
        if (_end > _start || await FillAsync())
        {
            throw Failure($"expected the connection to be closed, got: {Text(_buffer.AsSpan(_start, _end - _start))}");
        }
    }

    /// <summary>The client has nothing more to say, but still listens.</summary>
    public void CloseSending()
    {
        switch (_stream)
        {
            case NetworkStream socket:
                socket.Socket.Shutdown(SocketShutdown.Send);
                break;
            case MemoryClientStream memory:
                memory.CompleteWriting();
                break;
            default:
                throw new NotSupportedException("TLS has no half-open close here.");
        }
    }

    /// <summary>Everything up to the close.</summary>
    public async Task<byte[]> ReadToEndAsync()
    {
        while (await FillAsync())
        {
        }

        var bytes = _buffer.AsSpan(_start, _end - _start).ToArray();
        _start = _end;
        Note("S", bytes);
        return bytes;
    }

    /// <summary>The TLS handshake, after the server agreed to it; any certificate is taken.</summary>
    public async Task StartTlsAsync(string host = "localhost", SslClientAuthenticationOptions? options = null)
    {
        if (_end > _start)
        {
            throw Failure("the server sent plaintext ahead of the handshake");
        }

        var tls = new SslStream(_stream);
        using var limit = new CancellationTokenSource(Patience);
        options ??= new() { TargetHost = host };
        options.RemoteCertificateValidationCallback ??= (_, _, _, _) => true;
        await tls.AuthenticateAsClientAsync(options, limit.Token);
        _stream = tls;
        _log.AppendLine($"   (TLS: {tls.SslProtocol} {tls.NegotiatedCipherSuite})");
    }

    /// <summary>Both directions are deflated from here on (RFC 4978).</summary>
    public void StartDeflate()
    {
        // What came with the line that began it is deflated already.
        _stream = new DeflatedStream(_stream, _buffer[_start.._end]);
        _start = _end;
    }

    /// <summary>No longer; what was sent last has been flushed (RFC 8437 §4.1).</summary>
    public void EndDeflate() => _stream = ((DeflatedStream)_stream).Inner;

    public InvalidOperationException Failure(string what) => new($"{what}\n--- so far ---\n{_log}");

    public ValueTask DisposeAsync() => _stream.DisposeAsync();

    private async Task<bool> FillAsync()
    {
        if (_start == _end)
        {
            _start = _end = 0;
        }
        else if (_end == _buffer.Length)
        {
            var bigger = _start > 0 ? _buffer : new byte[_buffer.Length * 2];
            _buffer.AsSpan(_start, _end - _start).CopyTo(bigger);
            (_buffer, _end, _start) = (bigger, _end - _start, 0);
        }

        using var limit = new CancellationTokenSource(Patience);
        try
        {
            var count = await _stream.ReadAsync(_buffer.AsMemory(_end), limit.Token);
            _end += count;
            return count > 0;
        }
        catch (OperationCanceledException)
        {
            throw Failure($"no answer within {Patience.TotalSeconds:0} s");
        }
        catch (IOException)
        {
            return false;
        }
    }

    private void Note(string side, ReadOnlySpan<byte> bytes)
    {
        var shown = bytes.Length <= 1000 ? Text(bytes) : $"{Text(bytes[..1000])}… ({bytes.Length} bytes)";
        _log.Append(side).Append(": ").AppendLine(shown.TrimEnd('\n').TrimEnd('\r'));
    }

    // UTF-8 where it is, else each byte as itself.
    private static string Text(ReadOnlySpan<byte> bytes) =>
        System.Text.Unicode.Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : Encoding.Latin1.GetString(bytes);
}
