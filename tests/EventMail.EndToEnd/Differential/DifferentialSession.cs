using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace EventMail.EndToEnd.Differential;

/// <summary>One IMAP session of which every answer is taken apart (<see cref="Answer"/>). Not thread-safe.</summary>
internal sealed class DifferentialSession(Stream input, Stream output, IDisposable owner) : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly BufferedStream _input = new(input, 65536);
    private int _tag;

    public static async Task<DifferentialSession> LoginAsync(IPEndPoint server, string user)
    {
        var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(server);
        var stream = new NetworkStream(socket, ownsSocket: true);
        var session = new DifferentialSession(stream, stream, stream);
        await session.GreetingAsync("* OK ");
        (await session.RunAsync($"LOGIN {user} \"{MailServer.Password}\"")).Status.ShouldBe("OK");
        return session;
    }

    public async Task GreetingAsync(string expected)
    {
        using var limit = new CancellationTokenSource(Patience);
        Encoding.Latin1.GetString(await ReadResponseAsync(limit.Token)).ShouldStartWith(expected);
    }

    /// <summary>Sends a command, octets as in Latin-1; <c>DONE</c> follows an IDLE's continuation request.</summary>
    public async Task<Answer> RunAsync(string command)
    {
        var tag = "t" + (++_tag).ToString(CultureInfo.InvariantCulture);
        using var limit = new CancellationTokenSource(Patience);
        try
        {
            await output.WriteAsync(Encoding.Latin1.GetBytes($"{tag} {command}\r\n"), limit.Token);
            await output.FlushAsync(limit.Token);
            var answer = new Answer(command, tag);
            while (true)
            {
                var response = await ReadResponseAsync(limit.Token);
                if (response is [(byte)'+', ..])
                {
                    await output.WriteAsync("DONE\r\n"u8.ToArray(), limit.Token);
                    await output.FlushAsync(limit.Token);
                }
                else if (answer.Take(response))
                {
                    return answer;
                }
            }
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"No answer within {Patience} to: {command}");
        }
    }

    // A line with the literals in it, and their announcements; without the last CRLF.
    private async Task<byte[]> ReadResponseAsync(CancellationToken cancellation)
    {
        using var response = new MemoryStream();
        while (true)
        {
            var began = (int)response.Length;
            await ReadLineAsync(response, cancellation);
            var line = response.GetBuffer().AsSpan(began, (int)response.Length - began);
            if (!Literals.TryEnd(line, out var size))
            {
                return response.ToArray();
            }

            response.Write("\r\n"u8);
            var literal = new byte[size];
            await _input.ReadExactlyAsync(literal, cancellation);
            response.Write(literal);
        }
    }

    private async Task ReadLineAsync(MemoryStream line, CancellationToken cancellation)
    {
        var one = new byte[1];
        while (true)
        {
            if (await _input.ReadAsync(one, cancellation) == 0)
            {
                throw new EndOfStreamException("the server closed after: " + Encoding.Latin1.GetString(line.ToArray()));
            }

            if (one[0] == '\n' && line.Length > 0 && line.GetBuffer()[line.Length - 1] == '\r')
            {
                line.SetLength(line.Length - 1);
                return;
            }

            line.WriteByte(one[0]);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await output.DisposeAsync();
        if (owner is Process process)
        {
            // The end of its input is its end.
            using var limit = new CancellationTokenSource(Patience);
            await process.WaitForExitAsync(limit.Token);
        }

        owner.Dispose();
    }
}
