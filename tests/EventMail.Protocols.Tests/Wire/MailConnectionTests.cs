using System.Buffers;
using System.Text;
using EventMail.Protocols.Wire;
using EventMail.Testing;
using EventMail.Testing.Transcripts;
using FsCheck;
using FsCheck.Fluent;
using static EventMail.Protocols.Tests.Wire.WireHarness;

namespace EventMail.Protocols.Tests.Wire;

public sealed class MailConnectionTests
{
    [Fact]
    public void Lines_arrive_whole_however_they_are_cut_and_whoever_wakes_the_reader()
    {
        var line = Gen.Elements("", "EHLO x", "a\rb", new string('x', 70), new string('y', 300), "ü");
        var input = from lines in Gen.ListOf(line)
                    from cuts in Gen.ListOf(Gen.Choose(1, 40))
                    select (Lines: lines.ToList(), Cuts: cuts.DefaultIfEmpty(7).ToList());
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(200), Prop.ForAll(Arb.From(input), sample =>
        {
            var work = RunAsync(sample.Lines, sample.Cuts);
            work.Wait(Patience).ShouldBeTrue();
        }));

        static async Task RunAsync(List<string> lines, List<int> cuts)
        {
            var (connection, client) = Open();
            await using (connection)
            {
                var reading = ReadAllAsync(connection, 200);
                var bytes = Encoding.UTF8.GetBytes(string.Concat(lines.Select(l => l + "\r\n")));
                for (int at = 0, i = 0; at < bytes.Length; i++)
                {
                    var count = Math.Min(cuts[i % cuts.Count], bytes.Length - at);
                    await client.WriteAsync(bytes.AsMemory(at, count));
                    at += count;
                    if (i % 3 == 0)
                    {
                        connection.Wake();
                    }

                    if (i % 5 == 4)
                    {
                        connection.Stop();
                    }
                }

                await client.DisposeAsync();
                var (got, _, stopped) = await reading;
                got.ShouldBe(lines.Select(l => l.Length > 200 ? "(too long)" : Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(l))));
                stopped.ShouldBeLessThanOrEqualTo(1);
            }
        }
    }

    [Fact]
    public async Task Wakes_during_TLS_lose_nothing_and_break_nothing()
    {
        (List<string> Lines, int Woken, int Stopped) got = default;
        var done = new TaskCompletionSource();
        var upgraded = new TaskCompletionSource<MailConnection>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var listener = await TestListener.StartAsync(async connection =>
        {
            (await connection.StartTlsAsync("220 go\r\n"u8.ToArray(), CancellationToken.None)).ShouldBe(TlsUpgrade.Done);
            upgraded.SetResult(connection);
            got = await ReadAllAsync(connection);
            done.SetResult();
        }, TestCertificate.Tls);

        await using (var client = await listener.ConnectAsync())
        {
            await client.ExpectAsync("220 go");
            await client.StartTlsAsync();
            var server = await upgraded.Task.WaitAsync(Patience);
            for (var i = 0; i < 2000; i++)
            {
                server.Wake();
                await client.SendAsync(Encoding.ASCII.GetBytes($"line {i}".PadRight(i % 90) + (i % 7 == 0 ? "\r" : "\r\n")));
                if (i % 7 == 0)
                {
                    await client.SendAsync("\n"u8.ToArray());
                }
            }

            // Not by closing the socket: unread session tickets would make that a reset, which may overtake the last lines.
            await client.Tls!.ShutdownAsync();
            await done.Task.WaitAsync(Patience);
        }

        Enumerable.Range(0, 2000).Select(i => $"line {i}".PadRight(i % 90)).SequenceEqual(got.Lines!).ShouldBeTrue();
        got.Woken.ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task A_wake_during_the_handshake_is_told_after_it()
    {
        var status = new TaskCompletionSource<LineStatus>();
        await using var listener = await TestListener.StartAsync(async connection =>
        {
            var upgrade = connection.AcceptTlsAsync(CancellationToken.None);
            connection.Wake();
            (await upgrade).ShouldBe(TlsUpgrade.Done);
            status.SetResult(await connection.ReadLineAsync(new Line(), 100, Patience));
        }, TestCertificate.Tls);
        await using var client = await listener.ConnectAsync();
        await Task.Delay(50);
        await client.StartTlsAsync();
        (await status.Task.WaitAsync(Patience)).ShouldBe(LineStatus.Woken);
    }

    [Fact]
    public async Task A_wake_ends_a_pending_read_and_the_read_goes_on_with_the_next_call()
    {
        var (connection, client) = Open();
        await using (connection)
        {
            var line = new Line();
            var first = connection.ReadLineAsync(line, 100, Patience);
            first.IsCompleted.ShouldBeFalse();
            connection.Wake();
            (await first).ShouldBe(LineStatus.Woken);

            // What arrives between two reads is there for the second.
            await client.WriteAsync("NOOP\r\n"u8.ToArray());
            (await connection.ReadLineAsync(line, 100, Patience)).ShouldBe(LineStatus.Line);
            line.ToString().ShouldBe("NOOP");
        }
    }

    [Fact]
    public async Task A_wake_in_the_middle_of_a_line_waits_for_its_end_and_a_stop_does_not_lose_its_beginning()
    {
        var (connection, client) = Open();
        await using (connection)
        {
            var line = new Line();
            await client.WriteAsync("NO"u8.ToArray());
            var read = connection.ReadLineAsync(line, 100, Patience);
            connection.Wake();
            await client.WriteAsync("O"u8.ToArray());
            connection.Stop();
            (await read).ShouldBe(LineStatus.Stopping);
            var again = connection.ReadLineAsync(line, 100, Patience);
            await client.WriteAsync("P\r\n"u8.ToArray());
            (await again).ShouldBe(LineStatus.Line);
            line.ToString().ShouldBe("NOOP");
            (await connection.ReadLineAsync(line, 100, Patience)).ShouldBe(LineStatus.Woken);
        }
    }

    [Fact]
    public async Task A_silent_client_times_out_and_a_stale_time_out_ends_nothing()
    {
        var (connection, client) = Open();
        await using (connection)
        {
            var line = new Line();
            (await connection.ReadLineAsync(line, 100, TimeSpan.FromMilliseconds(100))).ShouldBe(LineStatus.TimedOut);

            var read = connection.ReadLineAsync(line, 100, Patience);
            connection.CheckDeadlines(Environment.TickCount64 + (long)Patience.TotalMilliseconds + 1000);
            await Task.Delay(50);
            read.IsCompleted.ShouldBeFalse();
            await client.WriteAsync("late\r\n"u8.ToArray());
            (await read).ShouldBe(LineStatus.Line);
        }
    }

    [Fact]
    public async Task A_line_beyond_the_limit_is_skipped_to_its_end_in_little_memory()
    {
        var (connection, client) = Open();
        await using (connection)
        {
            var line = new Line();
            var read = connection.ReadLineAsync(line, 100, Patience);
            var chunk = new byte[8192];
            Array.Fill(chunk, (byte)'x');
            for (var i = 0; i < 100; i++)
            {
                await client.WriteAsync(chunk);
            }

            await client.WriteAsync("\r\nnext\nexactly"u8.ToArray());
            (await read).ShouldBe(LineStatus.TooLong);
            line.Length.ShouldBeLessThanOrEqualTo(101);
            (await connection.ReadLineAsync(line, 100, Patience)).ShouldBe(LineStatus.Line);
            line.EndedWithCrLf.ShouldBeFalse();
            await client.WriteAsync(Encoding.ASCII.GetBytes(new string('y', 93) + "\r\n"));
            (await connection.ReadLineAsync(line, 100, Patience)).ShouldBe(LineStatus.Line);
            line.Length.ShouldBe(100);
            line.EndedWithCrLf.ShouldBeTrue();
        }
    }

    [Fact]
    public async Task Plaintext_behind_STARTTLS_is_refused_before_the_go_ahead()
    {
        var result = new TaskCompletionSource<TlsUpgrade>();
        await using var listener = await TestListener.StartAsync(async connection =>
        {
            await connection.ReadLineAsync(new Line(), 100, Patience);
            result.SetResult(await connection.StartTlsAsync("220 go\r\n"u8.ToArray(), CancellationToken.None));
        }, TestCertificate.Tls);
        await using var client = await listener.ConnectAsync();
        await client.SendAsync("STARTTLS\r\nRSET\r\n"u8.ToArray());
        (await result.Task.WaitAsync(Patience)).ShouldBe(TlsUpgrade.PlaintextBuffered);
        await client.ExpectClosedAsync();
    }

    [Fact]
    public async Task An_abort_ends_a_pending_read_and_every_later_one()
    {
        var (connection, _) = Open();
        await using (connection)
        {
            var read = connection.ReadAsync(Patience);
            connection.Abort();
            (await read).Status.ShouldBe(ReadStatus.Closed);
            (await connection.ReadAsync(Patience)).Status.ShouldBe(ReadStatus.Closed);
            (await connection.ReadLineAsync(new Line(), 100, Patience)).ShouldBe(LineStatus.Closed);
        }
    }

    [Fact]
    public async Task A_client_that_resets_the_connection_is_a_closed_one()
    {
        var result = new TaskCompletionSource<LineStatus>();
        await using var listener = await TestListener.StartAsync(async connection =>
            result.SetResult(await connection.ReadLineAsync(new Line(), 100, Patience)));
        using (var socket = new System.Net.Sockets.Socket(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp))
        {
            await socket.ConnectAsync("127.0.0.1", listener.Port);
            await socket.SendAsync("half a li"u8.ToArray());
            socket.LingerState = new(true, 0);
        }

        (await result.Task.WaitAsync(Patience)).ShouldBe(LineStatus.Closed);
    }

    [Fact]
    public async Task A_client_that_reads_nothing_is_cut_off_when_the_write_timeout_is_over()
    {
        var (server, _) = MemoryConnection.Create();
        await using var connection = new MailConnection(server, Details) { WriteTimeout = TimeSpan.FromMilliseconds(100) };
        await connection.Output.WriteAsync(new byte[10]);
        connection.Output.GetSpan(200_000)[..200_000].Clear();
        connection.Output.Advance(200_000);
        await connection.FlushAsync().AsTask().WaitAsync(Patience);
        (await connection.ReadAsync(Patience)).Status.ShouldBe(ReadStatus.Closed);
    }

    [Fact]
    public async Task An_idle_TLS_connection_says_close_notify_when_the_server_leaves()
    {
        await using var listener = await TestListener.StartAsync(async connection =>
        {
            await connection.AcceptTlsAsync(CancellationToken.None);
            // Leaves with a read pending, as a session does that is woken or stopped.
            connection.Wake();
            (await connection.ReadLineAsync(new Line(), 100, Patience)).ShouldBe(LineStatus.Woken);
            var read = connection.ReadLineAsync(new Line(), 100, Patience);
            connection.Stop();
            (await read).ShouldBe(LineStatus.Stopping);
            connection.Output.Write("221 bye\r\n"u8);
            await connection.FlushAsync();
        }, TestCertificate.Tls);
        await using var client = await listener.ConnectAsync();
        await client.StartTlsAsync();
        await client.ExpectAsync("221 bye");
        // Without close_notify SslStream would throw here.
        (await client.Tls!.ReadAsync(new byte[10])).ShouldBe(0);
    }
}
