using System.Net;
using System.Net.Sockets;
using System.Text;

namespace EventMail.Protocols.Tests.Filters;

/// <summary>Answers HTTP on loopback with what the test wants, one request for a connection, many at a time.</summary>
internal sealed class RspamdServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _serving;
    private int _atOnce;

    /// <param name="answer">The body of its answer, or a whole answer that begins with "HTTP/"; null: it is silent.</param>
    public RspamdServer(string? answer)
    {
        _listener.Start();
        Url = new($"http://{_listener.LocalEndpoint}");
        _serving = Task.Run(async () =>
        {
            var clients = new List<Task>();
            try
            {
                while (true)
                    clients.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token), answer));
            }
            catch (OperationCanceledException)
            {
                await Task.WhenAll(clients);
            }
        });
    }

    public Uri Url { get; }

    /// <summary>The head of the last request, as lines.</summary>
    public IReadOnlyList<string> Head { get; private set; } = [];

    public string Body { get; private set; } = "";

    /// <summary>How long it takes for each answer.</summary>
    public TimeSpan Work { get; init; }

    /// <summary>Messages that it worked at at the same time.</summary>
    public int MostAtOnce { get; private set; }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _serving;
        _listener.Stop();
        _stop.Dispose();
    }

    private async Task ServeAsync(TcpClient client, string? answer)
    {
        using (client)
        {
            try
            {
                await AnswerAsync(client.GetStream(), answer);
            }
            catch (Exception error) when (error is OperationCanceledException or IOException)
            {
                // The test is over, or the client has had enough.
            }
        }
    }

    private async Task AnswerAsync(NetworkStream stream, string? answer)
    {
        var request = new StringBuilder();
        var buffer = new byte[8192];
        int end, size = 0;
        do
        {
            var count = await stream.ReadAsync(buffer, _stop.Token);
            if (count == 0)
                return;
            request.Append(Encoding.Latin1.GetString(buffer, 0, count));
            end = request.ToString().IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (end >= 0)
            {
                Head = request.ToString()[..end].Split("\r\n");
                size = int.Parse(Head.Single(line => line.StartsWith("Content-Length: ", StringComparison.OrdinalIgnoreCase))[16..]);
            }
        }
        while (end < 0 || request.Length < end + 4 + size);
        Body = request.ToString()[(end + 4)..];
        if (answer is null)
            await Task.Delay(Timeout.Infinite, _stop.Token);
        MostAtOnce = Math.Max(MostAtOnce, Interlocked.Increment(ref _atOnce));
        await Task.Delay(Work, _stop.Token);
        Interlocked.Decrement(ref _atOnce);
        var octets = Encoding.UTF8.GetBytes(answer!);
        if (!answer!.StartsWith("HTTP/", StringComparison.Ordinal))
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {octets.Length}\r\n\r\n"), _stop.Token);
        await stream.WriteAsync(octets, _stop.Token);
    }
}
