using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using EventMail.Protocols.Smtp.Client;

namespace EventMail.Protocols.Tests.Smtp.Client;

/// <summary>
/// A remote host over TCP that takes mail properly, but for what a test tells it to do instead: <see cref="Answer"/> is asked for each
/// command (and for CONNECT and the final dot, ".") and says what to answer, or null for what is proper.
/// </summary>
internal sealed class ScriptedPeer : IAsyncDisposable
{
    /// <summary>As an answer, or at the end of one: close.</summary>
    public const string Close = "\u0001close";

    /// <summary>As an answer: say nothing for ever.</summary>
    public const string Silence = "\u0001silence";

    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<string> _commands = new();
    private readonly ConcurrentQueue<byte[]> _messages = new();
    private readonly ConcurrentQueue<IPAddress> _clients = new();
    private readonly List<Task> _sessions = [];
    private readonly Task _accepting;

    public ScriptedPeer(params string[] extensions)
        : this(IPAddress.Loopback, extensions)
    {
    }

    public ScriptedPeer(IPAddress address, params string[] extensions)
    {
        _listener = new(address, 0);
        Extensions = extensions;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public string[] Extensions { get; init; }

    public Func<string, string?> Answer { get; init; } = _ => null;

    /// <summary>Not null: shakes hands behind STARTTLS, or at once when <see cref="Implicit"/>.</summary>
    public X509Certificate2? Certificate { get; init; }

    public bool Implicit { get; init; }

    /// <summary>What was received, command by command, of all connections.</summary>
    public IReadOnlyList<string> Commands => [.. _commands];

    /// <summary>As they came between the commands; without the final dot, the dots still stuffed.</summary>
    public IReadOnlyList<byte[]> Messages => [.. _messages];

    /// <summary>Where connections came from.</summary>
    public IReadOnlyList<IPAddress> Clients => [.. _clients];

    public int Connections => _clients.Count;

    public RemoteHost Host => new("localhost", (IPEndPoint)_listener.LocalEndpoint);

    public IEnumerable<string> CommandsNamed(string verb) => Commands.Where(command => command.StartsWith(verb, StringComparison.OrdinalIgnoreCase));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _accepting;
        _listener.Stop();
        await Task.WhenAll(_sessions);
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptSocketAsync(_stop.Token);
                socket.NoDelay = true;
                _clients.Enqueue(((IPEndPoint)socket.RemoteEndPoint!).Address);
                _sessions.Add(ServeAsync(socket));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            // Stopped.
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        await Task.Yield();
        using var owned = socket;
        await using var session = new Session(this, new NetworkStream(socket));
        try
        {
            await session.RunAsync(_stop.Token);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or SocketException or System.Security.Authentication.AuthenticationException)
        {
            // The client left, or the test is over.
        }
    }

    private sealed class Session(ScriptedPeer peer, Stream stream) : IAsyncDisposable
    {
        private readonly byte[] _one = new byte[1];
        private readonly byte[] _buffer = new byte[65536];
        private int _start;
        private int _end;
        private bool _closed;
        private bool _secured;

        public async Task RunAsync(CancellationToken cancel)
        {
            if (peer.Implicit)
            {
                await SecureAsync(cancel);
            }

            await ReplyAsync("CONNECT", "220 peer.example ESMTP", cancel);
            while (!_closed && await ReadLineAsync(cancel) is { } line)
            {
                peer._commands.Enqueue(line);
                var verb = line.Split(' ')[0].ToUpperInvariant();
                switch (verb)
                {
                    case "EHLO":
                        string[] lines = ["peer.example", .. peer.Extensions.Where(name => !_secured || name != "STARTTLS")];
                        await ReplyAsync(line, string.Join("\r\n", lines.Select((text, i) => $"250{(i == lines.Length - 1 ? ' ' : '-')}{text}")), cancel);
                        break;
                    case "DATA":
                        if ((await ReplyAsync(line, "354 Go on", cancel)).StartsWith("354", StringComparison.Ordinal) && !_closed)
                        {
                            peer._messages.Enqueue(await ReadMessageAsync(cancel));
                            peer._commands.Enqueue(".");
                            await ReplyAsync(".", "250 2.0.0 Taken", cancel);
                        }

                        break;
                    case "BDAT":
                        peer._messages.Enqueue(await ReadExactlyAsync(int.Parse(line.Split(' ')[1]), cancel));
                        await ReplyAsync(line, "250 2.0.0 Taken", cancel);
                        break;
                    case "STARTTLS":
                        if ((await ReplyAsync(line, "220 Go on", cancel)).StartsWith("220", StringComparison.Ordinal) && peer.Certificate is not null)
                        {
                            await SecureAsync(cancel);
                        }

                        break;
                    case "QUIT":
                        await ReplyAsync(line, "221 2.0.0 Bye" + Close, cancel);
                        break;
                    default:
                        await ReplyAsync(line, "250 2.1.0 Ok", cancel);
                        break;
                }
            }
        }

        private async Task SecureAsync(CancellationToken cancel)
        {
            var tls = new SslStream(stream);
            await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = peer.Certificate }, cancel);
            (stream, _secured) = (tls, true);
        }

        private async Task<string> ReplyAsync(string command, string proper, CancellationToken cancel)
        {
            var answer = peer.Answer(command) ?? proper;
            if (answer == Silence)
            {
                await Task.Delay(Timeout.Infinite, cancel);
            }

            _closed = answer.EndsWith(Close, StringComparison.Ordinal);
            var text = _closed ? answer[..^Close.Length] : answer;
            if (text.Length > 0)
            {
                await stream.WriteAsync(Encoding.Latin1.GetBytes(text.EndsWith('\n') ? text : text + "\r\n"), cancel);
            }

            return text;
        }

        private async Task<string?> ReadLineAsync(CancellationToken cancel)
        {
            var line = new List<byte>();
            while (await TakeAsync(cancel))
            {
                line.Add(_one[0]);
                if (_one[0] == '\n')
                {
                    return Encoding.UTF8.GetString(line.ToArray())[..^2];
                }
            }

            return null;
        }

        private async Task<byte[]> ReadMessageAsync(CancellationToken cancel)
        {
            var message = new List<byte>("\r\n"u8.ToArray());
            while (await TakeAsync(cancel))
            {
                message.Add(_one[0]);
                if (_one[0] == '\n' && message.Count >= 5 && message[^5] == '\r' && message[^4] == '\n' && message[^3] == '.' && message[^2] == '\r')
                {
                    return message.Count == 5 ? [] : [.. message.Skip(2).SkipLast(3)];
                }
            }

            throw new IOException("The client left in the middle of its message.");
        }

        private async Task<byte[]> ReadExactlyAsync(int count, CancellationToken cancel)
        {
            var octets = new byte[count];
            for (var i = 0; i < count; i++)
            {
                if (!await TakeAsync(cancel))
                {
                    throw new IOException("The client left in the middle of a chunk.");
                }

                octets[i] = _one[0];
            }

            return octets;
        }

        private async ValueTask<bool> TakeAsync(CancellationToken cancel)
        {
            if (_start == _end)
            {
                (_start, _end) = (0, await stream.ReadAsync(_buffer, cancel));
            }

            if (_start == _end)
            {
                return false;
            }

            _one[0] = _buffer[_start++];
            return true;
        }

        public ValueTask DisposeAsync() => stream.DisposeAsync();
    }
}
