using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using EventMail.Host.Composition;
using EventMail.Host.Configuration;
using EventMail.Host.Listeners;
using EventMail.Host.Tls;
using EventMail.Protocols.Wire;
using EventMail.Testing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Host.Tests.Listeners;

/// <summary>The table of listeners with protocols that greet by name, then echo lines until the client leaves.</summary>
public sealed class ServerListenersTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("eventmail-listeners-").FullName;
    private readonly LinesLogged _log = new();
    private readonly TaskCompletionSource _busy = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ServerListeners? _listeners;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        _end.TrySetResult();
        if (_listeners is not null)
            await _listeners.StopAsync(new CancellationToken(canceled: true)).InTime();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<Dictionary<string, IPEndPoint>> OpenAsync(params string[] set)
    {
        string[] free = ["Smtp:Port=0", "Lmtp:Port=0", "Submission:Port=0", "Submissions:Port=0", "Imap:Port=0", "Imaps:Port=0", "Pop3:Port=0", "Pop3s:Port=0"];
        var settings = new SettingsSources(_folder, null, [.. free, .. set]).Load();
        var table = ListenerTable.Of(settings, new() { Smtp = EchoAsync, Lmtp = EchoAsync, Submission = EchoAsync, Imap = EchoAsync, Pop3 = EchoAsync });
        var tls = ServerCertificates.Open(settings, NullLogger.Instance).ServerTls;
        _listeners = await ServerListeners.OpenAsync(table, tls, allowPlaintextLogin: false, LoggerFactory.Create(logging => logging.AddProvider(_log)));
        return _listeners.Addresses.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(word => word.Split('=')).ToDictionary(pair => pair[0], pair => IPEndPoint.Parse(pair[1]));
    }

    private async Task EchoAsync(MailConnection connection, CancellationToken stopping)
    {
        var line = new Line();
        await SayAsync($"hello {connection.Details.Listener} tls={connection.IsTls}");
        while (true)
        {
            switch (await connection.ReadLineAsync(line, 1000, TimeSpan.FromMinutes(1)))
            {
                case LineStatus.Line when line.ToString() == "long":
                    _busy.SetResult();
                    await _end.Task;
                    await SayAsync("done");
                    break;
                case LineStatus.Line:
                    await SayAsync(line.ToString());
                    break;
                case LineStatus.Stopping:
                    stopping.IsCancellationRequested.ShouldBeTrue();
                    await SayAsync("bye");
                    return;
                default:
                    return;
            }
        }

        async Task SayAsync(string text)
        {
            await connection.Output.WriteAsync(Encoding.ASCII.GetBytes(text + "\r\n"), CancellationToken.None);
            await connection.FlushAsync();
        }
    }

    private static async Task<(TcpClient Client, StreamReader Lines, Stream Stream)> ConnectAsync(IPEndPoint address, bool tls = false)
    {
        var client = new TcpClient();
        await client.ConnectAsync(address);
        Stream stream = client.GetStream();
        if (tls)
        {
            var ssl = new SslStream(stream, false, (_, _, _, _) => true);
            await ssl.AuthenticateAsClientAsync("localhost").InTime();
            stream = ssl;
        }
        return (client, new StreamReader(stream), stream);
    }

    [Fact]
    public async Task S001_I001_When_the_server_starts_all_listeners_accept_connections_and_the_secure_ones_start_with_tls()
    {
        var addresses = await OpenAsync();
        addresses.Keys.ShouldBe(["smtp", "lmtp", "submission", "submissions", "imap", "imaps", "pop3", "pop3s"]);
        foreach (var (name, address) in addresses)
        {
            var secure = name.EndsWith('s');
            var (client, lines, _) = await ConnectAsync(address, secure);
            using (client)
                (await lines.ReadLineAsync().InTime()).ShouldBe($"hello {name} tls={secure}");
        }
    }

    [Fact]
    public async Task S001_I001_When_the_server_starts_it_logs_each_listener_with_its_port_and_limit()
    {
        var addresses = await OpenAsync("Imap:MaxConnections=7");
        _log.Lines.ShouldContain($"imap server started on {addresses["imap"]} (tls_enabled False, at most 7 connections)");
        _log.Lines.ShouldContain(line => line.StartsWith($"smtp server started on {addresses["smtp"]}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_listener_that_is_off_is_not_opened()
    {
        var addresses = await OpenAsync("Pop3:Port=off", "Pop3s:Port=off");
        addresses.Keys.ShouldBe(["smtp", "lmtp", "submission", "submissions", "imap", "imaps"]);
    }

    [Fact]
    public async Task A_port_in_use_is_a_fault_that_names_the_listener_and_opens_none()
    {
        var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        var fault = await Should.ThrowAsync<SettingsException>(() => OpenAsync($"Imap:Port={port}"));
        fault.Message.ShouldContain($"Port {port} on 127.0.0.1 is in use");
        fault.Message.ShouldContain("Imap:Port");
        taken.Stop();
    }

    [Fact]
    public async Task An_address_that_is_none_is_a_fault() =>
        (await Should.ThrowAsync<SettingsException>(() => OpenAsync("Imap:Address=nowhere"))).Message.ShouldContain("Imap:Address is 'nowhere'");

    [Theory]
    [InlineData("smtp", "Smtp", "421 4.3.2 Too many connections, try again later")]
    [InlineData("submission", "Submission", "421 4.3.2 Too many connections, try again later")]
    [InlineData("imap", "Imap", "* BYE Maximum connections reached")]
    [InlineData("pop3", "Pop3", "-ERR [SYS/TEMP] Too many connections, try again later")]
    public async Task S001_I001_Given_the_maximum_of_connections_one_more_is_told_so_and_closed(string name, string section, string reply)
    {
        var address = (await OpenAsync($"{section}:MaxConnections=2"))[name];
        var first = await ConnectAsync(address);
        var second = await ConnectAsync(address);
        await first.Lines.ReadLineAsync().InTime();
        await second.Lines.ReadLineAsync().InTime();

        var third = await ConnectAsync(address);
        (await third.Lines.ReadToEndAsync().InTime()).ShouldBe(reply + "\r\n");
        _log.Lines.ShouldContain(line => line.StartsWith($"{name} connection limit reached on port {address.Port}", StringComparison.Ordinal));

        // One leaves: the next is served again.
        first.Client.Dispose();
        await Waiting.UntilAsync(async () =>
        {
            var next = await ConnectAsync(address);
            return (await next.Lines.ReadLineAsync().InTime())!.StartsWith("hello", StringComparison.Ordinal);
        });
    }

    [OwnAddressTheory]
    [InlineData("smtp", "Smtp", "421 4.7.0 Too many connections from your address\r\n")]
    [InlineData("lmtp", "Lmtp", "421 4.7.0 Too many connections from your address\r\n")]
    [InlineData("submission", "Submission", "421 4.7.0 Too many connections from your address\r\n")]
    [InlineData("submissions", "Submissions", "")]
    [InlineData("imap", "Imap", "* BYE Too many connections from your address\r\n")]
    [InlineData("imaps", "Imaps", "")]
    [InlineData("pop3", "Pop3", "-ERR [SYS/TEMP] Too many connections from your address\r\n")]
    [InlineData("pop3s", "Pop3s", "")]
    public async Task One_address_cannot_take_all_connections(string name, string section, string reply)
    {
        var address = (await OpenAsync($"{section}:Address={OwnAddressTheoryAttribute.Own}", $"{section}:MaxConnectionsPerAddress=2"))[name];
        var first = await ConnectAsync(address, reply.Length == 0);
        var second = await ConnectAsync(address, reply.Length == 0);
        await first.Lines.ReadLineAsync().InTime();
        await second.Lines.ReadLineAsync().InTime();
        var third = await ConnectAsync(address);
        (await third.Lines.ReadToEndAsync().InTime()).ShouldBe(reply);

        first.Client.Dispose();
        await Waiting.UntilAsync(async () =>
        {
            try
            {
                var next = await ConnectAsync(address, reply.Length == 0);
                return (await next.Lines.ReadLineAsync().InTime())!.StartsWith("hello", StringComparison.Ordinal);
            }
            catch (IOException) when (reply.Length == 0)
            {
                return false; // closed before the handshake: the first one has not been counted out yet
            }
        });
    }

    [Fact]
    public void An_IPv6_client_is_counted_by_its_64_and_loopback_not_at_all()
    {
        var counter = new ConnectionCounter(2);
        counter.TryEnter(IPAddress.Parse("2001:db8:0:1::1")).ShouldBeTrue();
        counter.TryEnter(IPAddress.Parse("2001:db8:0:1::2")).ShouldBeTrue();
        counter.TryEnter(IPAddress.Parse("2001:db8:0:1:ffff::3")).ShouldBeFalse();
        counter.TryEnter(IPAddress.Parse("2001:db8:0:2::1")).ShouldBeTrue();
        counter.Leave(IPAddress.Parse("2001:db8:0:1::1"));
        counter.TryEnter(IPAddress.Parse("2001:db8:0:1::4")).ShouldBeTrue();
        for (var i = 0; i < 3; i++)
            counter.TryEnter(IPAddress.Loopback).ShouldBeTrue();
    }

    [Fact]
    public async Task A_handshake_that_has_not_begun_does_not_hold_up_the_stop()
    {
        var address = (await OpenAsync())["imaps"];
        using var client = new TcpClient();
        await client.ConnectAsync(address);
        await Task.Delay(100);
        await _listeners!.StopAsync(CancellationToken.None).InTime();
        _log.Lines.ShouldNotContain(line => line.Contains("was cut off", StringComparison.Ordinal));
    }

    [Fact]
    public async Task S001_I001_Given_the_maximum_of_connections_a_listener_with_implicit_tls_closes_one_more()
    {
        var address = (await OpenAsync("Imaps:MaxConnections=1"))["imaps"];
        var first = await ConnectAsync(address, tls: true);
        await first.Lines.ReadLineAsync().InTime();
        await Should.ThrowAsync<IOException>(() => ConnectAsync(address, tls: true));
        await first.Stream.WriteAsync("still here\r\n"u8.ToArray());
        (await first.Lines.ReadLineAsync().InTime()).ShouldBe("still here");
    }

    [Fact]
    public async Task When_the_server_stops_new_connections_are_refused_and_sessions_finish_their_command()
    {
        var addresses = await OpenAsync();
        var busy = await ConnectAsync(addresses["smtp"]);
        var idle = await ConnectAsync(addresses["imaps"], tls: true);
        await busy.Lines.ReadLineAsync().InTime();
        await idle.Lines.ReadLineAsync().InTime();
        await busy.Stream.WriteAsync("long\r\n"u8.ToArray());
        await _busy.Task.InTime();

        var stopped = _listeners!.StopAsync(CancellationToken.None);
        (await idle.Lines.ReadLineAsync().InTime()).ShouldBe("bye");
        await Should.ThrowAsync<SocketException>(() => ConnectAsync(addresses["smtp"]));
        _end.SetResult();
        (await busy.Lines.ReadLineAsync().InTime()).ShouldBe("done");
        (await busy.Lines.ReadLineAsync().InTime()).ShouldBe("bye");
        await stopped.InTime();
        _log.Lines.ShouldContain(line => line.StartsWith("smtp server shutdown: 1 active sessions completed in ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_session_that_does_not_finish_in_time_is_cut_off()
    {
        var addresses = await OpenAsync("Smtp:StopTimeout=200ms");
        var stuck = await ConnectAsync(addresses["smtp"]);
        await stuck.Lines.ReadLineAsync().InTime();
        await stuck.Stream.WriteAsync("long\r\n"u8.ToArray());
        await _busy.Task.InTime();
        await _listeners!.StopAsync(CancellationToken.None).InTime();
        _log.Lines.ShouldContain(line => line.Contains("was cut off", StringComparison.Ordinal));
        try
        {
            (await stuck.Lines.ReadToEndAsync().InTime()).ShouldBe("");
        }
        catch (IOException)
        {
            // A reset is a cut as well.
        }
    }

    [IPv6Fact]
    public async Task An_ipv6_address_is_listened_on_and_written_in_brackets()
    {
        await OpenAsync("Imap:Address=::1");
        _listeners!.Addresses.ShouldContain("imap=[::1]:");
    }

    [Fact]
    public async Task A_bug_in_a_session_costs_its_connection_only()
    {
        var settings = new SettingsSources(_folder, null, ["Smtp:Port=0", "Submission:Port=off", "Submissions:Port=off", "Imap:Port=off", "Imaps:Port=off", "Pop3:Port=off", "Pop3s:Port=off"]).Load();
        static Task Broken(MailConnection connection, CancellationToken stopping) => throw new InvalidOperationException("a bug");
        _listeners = await ServerListeners.OpenAsync(
            ListenerTable.Of(settings, new() { Smtp = Broken, Lmtp = Broken, Submission = Broken, Imap = Broken, Pop3 = Broken }),
            ServerCertificates.Open(settings, NullLogger.Instance).ServerTls, false, LoggerFactory.Create(logging => logging.AddProvider(_log)));
        var address = IPEndPoint.Parse(_listeners.Addresses["smtp=".Length..]);
        for (var i = 0; i < 3; i++)
        {
            var client = await ConnectAsync(address);
            (await client.Lines.ReadToEndAsync().InTime()).ShouldBe("");
        }
        _log.Lines.Count(line => line.StartsWith("smtp session of 127.0.0.1 failed", StringComparison.Ordinal)).ShouldBe(3);
    }

    private sealed class LinesLogged : ILoggerProvider, ILogger
    {
        private readonly ConcurrentQueue<string> _lines = new();

        public IReadOnlyCollection<string> Lines => _lines;

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            _lines.Enqueue(formatter(state, exception));

        public void Dispose()
        {
        }
    }
}
