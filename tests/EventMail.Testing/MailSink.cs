using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace EventMail.Testing;

/// <summary>A message that a sink was sent to its end.</summary>
/// <param name="Address">The sink's.</param>
/// <param name="Connection">1 for its first.</param>
/// <param name="IsEncrypted">By TLS.</param>
/// <param name="IsAnswered">The client was told that it was taken.</param>
public sealed record SunkMessage(IPAddress Address, int Connection, string Sender, IReadOnlyList<string> Recipients, string Text, bool IsEncrypted, bool IsAnswered)
{
    public string MessageId => Text.Split("\r\n").FirstOrDefault(line => line.StartsWith("Message-ID:", StringComparison.OrdinalIgnoreCase))?[11..].Trim() ?? "";
}

/// <summary>How a sink answers. A reply is a line or several; null: as a server should.</summary>
public sealed record SinkScript
{
    /// <summary>Instead of a reply: the connection is closed.</summary>
    public const string Drop = "drop";

    /// <summary>Instead of a reply: silence, the connection stays.</summary>
    public const string Hang = "hang";

    /// <summary>What EHLO offers.</summary>
    public IReadOnlyList<string> Extensions { get; init; } = ["PIPELINING", "8BITMIME", "SIZE 50000000", "ENHANCEDSTATUSCODES"];

    public string Name { get; init; } = "sink.example.test";

    /// <summary>Offers STARTTLS with it.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>
    /// The answer at a stage (greeting, ehlo, starttls, handshake, mail, rcpt, data, body: while the message is sent, final), given the command's line and the
    /// number of the connection.
    /// </summary>
    public Func<string, string, int, string?> Answer { get; init; } = (_, _, _) => null;

    /// <summary>What the answer at a stage (greeting, ehlo, helo, final) waits for.</summary>
    public Func<string, Task> Before { get; init; } = _ => Task.CompletedTask;

    /// <summary>The same answer at one stage, always.</summary>
    public static SinkScript At(string stage, string answer) => new() { Answer = (at, _, _) => at == stage ? answer : null };
}

/// <summary>A server that takes mail and keeps it in memory, and does wrong as it is told. Thread-safe.</summary>
public sealed class MailSink : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<SunkMessage> _messages = new();
    private readonly ConcurrentDictionary<Task, bool> _sessions = new();
    private readonly Task _accepting;
    private int _connections;
    private int _open;

    private MailSink(TcpListener listener, SinkScript script)
    {
        (_listener, Script) = (listener, script);
        _accepting = AcceptAsync();
    }

    /// <summary>May be changed at any time; holds from the next command on.</summary>
    public SinkScript Script { get; set; }

    public IPEndPoint EndPoint => (IPEndPoint)_listener.LocalEndpoint;

    public IReadOnlyList<SunkMessage> Messages => [.. _messages];

    public int Connections => Volatile.Read(ref _connections);

    /// <summary>Connections now.</summary>
    public int Open => Volatile.Read(ref _open);

    /// <param name="port">0 for any free one.</param>
    /// <param name="address">One of 127.0.0.0/8: several sinks may have the same port.</param>
    public static MailSink Start(SinkScript? script = null, string address = "127.0.0.1", int port = 0)
    {
        var listener = new TcpListener(IPAddress.Parse(address), port);
        listener.Start(1024);
        return new(listener, script ?? new());
    }

    /// <summary>Waits for that many messages.</summary>
    public async Task<IReadOnlyList<SunkMessage>> WaitAsync(int count, TimeSpan? patience = null)
    {
        var until = DateTime.UtcNow + (patience ?? Waiting.Limit);
        while (_messages.Count < count)
        {
            if (DateTime.UtcNow > until)
                throw new TimeoutException($"The sink has {_messages.Count} of {count} messages after {Connections} connections.");
            await Task.Delay(10);
        }
        return Messages;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _accepting;
        _listener.Stop();
        await Task.WhenAll(_sessions.Keys);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                var number = Interlocked.Increment(ref _connections);
                var session = ServeAsync(client, number);
                _sessions[session] = true;
                _ = session.ContinueWith(done => _sessions.TryRemove(done, out _), TaskScheduler.Default);
            }
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException)
        {
            // Stopped.
        }
    }

    private async Task ServeAsync(TcpClient client, int number)
    {
        using var _ = client;
        // Whatever a session waits for, the next client is accepted.
        await Task.Yield();
        client.NoDelay = true;
        Interlocked.Increment(ref _open);
        try
        {
            await new Session(this, client.GetStream(), number).RunAsync(_stop.Token);
        }
        catch (Exception error) when (error is IOException or OperationCanceledException or System.Security.Authentication.AuthenticationException)
        {
            // The client is gone, as it may.
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    private sealed class Session(MailSink sink, Stream stream, int number)
    {
        private readonly byte[] _buffer = new byte[64 * 1024];
        private int _start;
        private int _end;
        private Stream _stream = stream;
        private string? _sender;
        private List<string> _recipients = [];
        private bool _isEncrypted;

        private SinkScript Script => sink.Script;

        public async Task RunAsync(CancellationToken stop)
        {
            if (!await SayAsync("greeting", "", $"220 {Script.Name} ESMTP", stop))
                return;
            while (await ReadLineAsync(stop) is { } line)
            {
                if (!await CommandAsync(line, stop))
                    return;
            }
        }

        private async Task<bool> CommandAsync(string line, CancellationToken stop)
        {
            switch (line.Split(' ', ':')[0].ToUpperInvariant())
            {
                case "EHLO":
                    return await SayAsync("ehlo", line, Hello(), stop);
                case "HELO":
                    return await SayAsync("helo", line, $"250 {Script.Name}", stop);
                case "STARTTLS" when Script.Certificate is not null:
                    var go = Script.Answer("starttls", line, number) ?? "220 2.0.0 Go ahead";
                    return await SendAsync(go, stop) && (!go.StartsWith('2') || await StartTlsAsync(stop));
                case "MAIL":
                    var sender = Script.Answer("mail", line, number);
                    _sender = sender is null || sender.StartsWith('2') ? PathIn(line) : null;
                    _recipients = [];
                    return await SendAsync(sender ?? "250 2.1.0 Ok", stop);
                case "RCPT" when _sender is null:
                    return await SendAsync("503 5.5.1 MAIL first", stop);
                case "RCPT":
                    var answer = Script.Answer("rcpt", line, number);
                    if (answer is null || answer.StartsWith('2'))
                        _recipients.Add(PathIn(line));
                    return await SendAsync(answer ?? "250 2.1.5 Ok", stop);
                case "DATA" when _recipients.Count == 0:
                    return await SendAsync("554 5.5.1 No valid recipients", stop);
                case "DATA":
                    return await DataAsync(line, stop);
                case "QUIT":
                    await SendAsync("221 2.0.0 Bye", stop);
                    return false;
                case "RSET" or "NOOP":
                    return await SendAsync("250 2.0.0 Ok", stop);
                default:
                    return await SendAsync("502 5.5.1 Not implemented", stop);
            }
        }

        private string Hello()
        {
            string[] lines = [Script.Name, .. Script.Extensions, .. Script.Certificate is not null && !_isEncrypted ? ["STARTTLS"] : Array.Empty<string>()];
            return string.Join("\r\n", lines.Select((text, i) => $"250{(i < lines.Length - 1 ? '-' : ' ')}{text}"));
        }

        private async Task<bool> StartTlsAsync(CancellationToken stop)
        {
            if (Script.Answer("handshake", "", number) is { } nonsense)
            {
                // Behind the ClientHello: what comes before it is an injection.
                await _stream.ReadExactlyAsync(_buffer.AsMemory(0, 1), stop);
                await SendAsync(nonsense, stop);
                return false;
            }
            var tls = new SslStream(_stream);
            await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = Script.Certificate }, stop);
            (_stream, _isEncrypted, _start, _end) = (tls, true, 0, 0);
            return true;
        }

        private async Task<bool> DataAsync(string line, CancellationToken stop)
        {
            if (Script.Answer("data", line, number) is { } refused)
                return await SendAsync(refused, stop);
            await SendAsync("354 Go on", stop);
            var text = new StringBuilder();
            while (await ReadLineAsync(stop) is { } next)
            {
                if (Script.Answer("body", next, number) is { } fault)
                    return await SendAsync(fault, stop);
                if (next == ".")
                {
                    await Script.Before("final").WaitAsync(stop);
                    var answer = Script.Answer("final", line, number);
                    var isTaken = answer is null || answer.StartsWith('2');
                    var isSaid = isTaken && answer is not (SinkScript.Drop or SinkScript.Hang);
                    // Kept before it is answered: what a client was told is here.
                    if (isTaken || answer is SinkScript.Drop or SinkScript.Hang)
                        sink._messages.Enqueue(new(sink.EndPoint.Address, number, _sender!, _recipients, text.ToString(), _isEncrypted, isSaid));
                    return await SendAsync(answer ?? "250 2.0.0 Taken", stop);
                }
                text.Append(next.StartsWith('.') ? next[1..] : next).Append("\r\n");
            }
            return false;
        }

        private async Task<bool> SayAsync(string stage, string line, string usual, CancellationToken stop)
        {
            await Script.Before(stage).WaitAsync(stop);
            return await SendAsync(Script.Answer(stage, line, number) ?? usual, stop);
        }

        private async Task<bool> SendAsync(string answer, CancellationToken stop)
        {
            if (answer == SinkScript.Drop)
                return false;
            if (answer == SinkScript.Hang)
                await Task.Delay(Timeout.Infinite, stop);
            await _stream.WriteAsync(Encoding.Latin1.GetBytes(answer + "\r\n"), stop);
            return true;
        }

        private async Task<string?> ReadLineAsync(CancellationToken stop)
        {
            var line = new StringBuilder();
            while (true)
            {
                var newline = _buffer.AsSpan(_start, _end - _start).IndexOf((byte)'\n');
                if (newline >= 0)
                {
                    line.Append(Encoding.Latin1.GetString(_buffer, _start, newline));
                    _start += newline + 1;
                    return line.ToString().TrimEnd('\r');
                }
                line.Append(Encoding.Latin1.GetString(_buffer, _start, _end - _start));
                (_start, _end) = (0, await _stream.ReadAsync(_buffer, stop));
                if (_end == 0)
                    return null;
            }
        }

        private static string PathIn(string line)
        {
            var start = line.IndexOf('<');
            var end = line.IndexOf('>');
            return start >= 0 && end > start ? line[(start + 1)..end] : "";
        }
    }
}
