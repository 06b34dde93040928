using System.Buffers.Text;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace EventMail.Protocols.Imap.Client;

/// <summary>What a remote IMAP server did that ends the connection.</summary>
public sealed class ImapClientException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The server refused one command (NO); the connection is as it was.</summary>
    public bool Refused { get; init; }
}

/// <summary>
/// The octets of a connection to a remote IMAP server: lines, and literals in them that are streamed. Bounded in memory and in time. One user at a time.
/// </summary>
internal sealed class ImapClientWire(Stream stream, TimeSpan patience) : IAsyncDisposable
{
    /// <summary>Octets of a line without its literals: an ENVELOPE, a list of mailboxes' flags.</summary>
    public const int MaxLine = 1024 * 1024;

    private readonly byte[] _input = new byte[64 * 1024];
    private Stream _stream = stream;
    private int _start;
    private int _end;

    /// <summary>Nothing that came is unread: what came before TLS is not to be taken for what came in it (RFC 3501 §11.1).</summary>
    public bool IsDrained => _start == _end;

    /// <summary>One line without its CRLF.</summary>
    public async ValueTask<byte[]> ReadLineAsync(CancellationToken cancel)
    {
        var line = new MemoryStream();
        while (true)
        {
            var length = _input.AsSpan(_start, _end - _start).IndexOf((byte)'\n');
            line.Write(_input, _start, length < 0 ? _end - _start : length);
            if (length >= 0)
            {
                _start += length + 1;
                var octets = line.ToArray();
                return octets is [.., (byte)'\r'] ? octets[..^1] : octets;
            }
            _start = _end;
            if (line.Length > MaxLine)
                throw new ImapClientException($"The server sent a line of more than {MaxLine} octets");
            await FillAsync(cancel).ConfigureAwait(false);
        }
    }

    /// <summary>So many octets of a literal, in pieces.</summary>
    public async ValueTask ReadLiteralAsync(long length, Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask>? take, CancellationToken cancel)
    {
        while (length > 0)
        {
            if (_start == _end)
                await FillAsync(cancel).ConfigureAwait(false);
            var count = (int)Math.Min(length, _end - _start);
            if (take is not null)
                await take(_input.AsMemory(_start, count), cancel).ConfigureAwait(false);
            _start += count;
            length -= count;
        }
    }

    public async ValueTask SendAsync(string line, CancellationToken cancel)
    {
        using var limit = Limit(cancel);
        try
        {
            await _stream.WriteAsync(Encoding.UTF8.GetBytes(line + "\r\n"), limit.Token).ConfigureAwait(false);
            await _stream.FlushAsync(limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException || (e is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            throw new ImapClientException($"The connection was lost: {e.Message}", e);
        }
    }

    public async Task StartTlsAsync(SslClientAuthenticationOptions options, CancellationToken cancel)
    {
        if (!IsDrained)
            throw new ImapClientException("The server sent something ahead of TLS: it is not to be trusted");
        var tls = new SslStream(_stream);
        using var limit = Limit(cancel);
        try
        {
            await tls.AuthenticateAsClientAsync(options, limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or System.Security.Authentication.AuthenticationException)
        {
            throw new ImapClientException($"TLS with the server failed: {e.Message}", e);
        }
        catch (OperationCanceledException e) when (!cancel.IsCancellationRequested)
        {
            throw new ImapClientException($"The server said nothing for {(long)patience.TotalSeconds} s; is TLS spoken on this port?", e);
        }
        _stream = tls;
    }

    /// <summary>The length that a line announces at its end: "{123}" or "{123+}" or "~{123}"; null without one.</summary>
    public static long? LiteralOf(ReadOnlySpan<byte> line)
    {
        if (line is not [.., (byte)'}'] || line.LastIndexOf((byte)'{') is not (>= 0 and var at))
            return null;
        var digits = line[(at + 1)..^1];
        return Utf8Parser.TryParse(digits, out long length, out var used) && used > 0 && length >= 0 && (used == digits.Length || digits[used..] is [(byte)'+']) ? length : null;
    }

    private async ValueTask FillAsync(CancellationToken cancel)
    {
        using var limit = Limit(cancel);
        try
        {
            (_start, _end) = (0, await _stream.ReadAsync(_input, limit.Token).ConfigureAwait(false));
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            throw new ImapClientException($"The connection was lost: {e.Message}", e);
        }
        catch (OperationCanceledException e) when (!cancel.IsCancellationRequested)
        {
            throw new ImapClientException($"The server said nothing for {(long)patience.TotalSeconds} s", e);
        }
        if (_end == 0)
            throw new ImapClientException("The server closed the connection");
    }

    private CancellationTokenSource Limit(CancellationToken cancel)
    {
        var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(patience);
        return limit;
    }

    public ValueTask DisposeAsync() => _stream.DisposeAsync();
}
