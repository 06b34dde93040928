using System.IO.Pipelines;
using System.Net;
using EventMail.Protocols.Wire;
using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.Protocols.Tests.Wire;

internal static class WireHarness
{
    public static readonly TimeSpan Patience = Waiting.Limit;

    public static ConnectionDetails Details { get; } =
        new("test-1", "test", new IPEndPoint(IPAddress.Loopback, 25), new IPEndPoint(IPAddress.Loopback, 40000));

    public static (MailConnection Connection, Stream Client) Open(ServerTls? tls = null, WireTraces? traces = null)
    {
        var (server, client) = MemoryConnection.Create();
        return (new MailConnection(server, Details, tls, null, traces), client);
    }

    /// <summary>Reads lines until the client closes, taking wake-ups and stops as they come.</summary>
    public static async Task<(List<string> Lines, int Woken, int Stopped)> ReadAllAsync(MailConnection connection, int maxLength = 1000)
    {
        var line = new Line();
        var (lines, woken, stopped) = (new List<string>(), 0, 0);
        while (true)
        {
            switch (await connection.ReadLineAsync(line, maxLength, Patience))
            {
                case LineStatus.Line:
                    lines.Add(line.ToString());
                    break;
                case LineStatus.TooLong:
                    lines.Add("(too long)");
                    break;
                case LineStatus.Woken:
                    woken++;
                    break;
                case LineStatus.Stopping:
                    stopped++;
                    break;
                case LineStatus.TimedOut:
                    throw new TimeoutException();
                case LineStatus.Closed:
                    return (lines, woken, stopped);
            }
        }
    }
}
