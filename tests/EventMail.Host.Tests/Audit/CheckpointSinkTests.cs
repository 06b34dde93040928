using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using EventMail.EventStore.Proof;
using EventMail.Host.Audit;
using EventMail.Host.Configuration;
using EventMail.Testing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Host.Tests.Audit;

public sealed class CheckpointSinkTests
{
    private static readonly NoteSigningKey Key = NoteSigningKey.Generate("log.example");

    private static SignedCheckpoint Of(long size) => SignedCheckpoint.Sign(Checkpoint.Of("log.example", size, TreeHash.Empty, DateTimeOffset.UtcNow), Key);

    private static string NoteIn(string syslog) => Encoding.UTF8.GetString(Convert.FromBase64String(syslog.Split(' ')[^1]));

    [Fact]
    public async Task What_failed_is_tried_again_with_the_newest_and_the_log_says_what_to_do()
    {
        var (sent, log, failures) = (new ConcurrentQueue<long>(), new Lines(), 2);
        await using (var sink = new CheckpointSink("the sink", (checkpoint, _) =>
        {
            sent.Enqueue(checkpoint.Checkpoint.Size);
            return failures-- > 0 ? Task.FromException(new IOException("nobody is there")) : Task.CompletedTask;
        }, TimeSpan.FromMilliseconds(1), log))
        {
            sink.Offer(Of(1));
            await Waiting.UntilAsync(() => sent.Count >= 3);
            sink.Offer(Of(2));
            await Waiting.UntilAsync(() => sent.Contains(2));
        }
        sent.ShouldBe([1, 1, 1, 2]);
        log.All.ShouldContain(line => line.Contains("did not reach the sink in attempt 1: nobody is there. It is kept in the folder of checkpoints"));
        log.All.ShouldContain("Checkpoints reach the sink again, in attempt 3");
    }

    [Fact]
    public async Task What_waits_at_the_end_is_tried_once_more()
    {
        var sent = new ConcurrentQueue<long>();
        var sink = new CheckpointSink("the sink", (checkpoint, _) =>
        {
            sent.Enqueue(checkpoint.Checkpoint.Size);
            return Task.FromException(new IOException("nobody is there"));
        }, TimeSpan.FromHours(1), NullLogger.Instance);
        sink.Offer(Of(1));
        await Waiting.UntilAsync(() => sent.Count == 1);
        sink.Offer(Of(2));
        await sink.DisposeAsync();
        sent.ShouldBe([1, 2]);
    }

    [Fact]
    public async Task A_webhook_gets_the_note_and_what_it_refuses_has_failed()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        using var sink = WebhookSink.Of(new() { Webhook = $"http://127.0.0.1:{port}/checkpoints?token=secret" })!;
        sink.Name.ShouldBe($"the webhook http://127.0.0.1:{port}/checkpoints (Audit:Webhook)");
        var checkpoint = Of(17);
        var request = AnswerAsync("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
        await sink.SendAsync(checkpoint, default).InTime();
        var text = await request.InTime();
        text.ShouldStartWith("POST /checkpoints?token=secret HTTP/1.1\r\n");
        text.ShouldContain("Content-Type: text/plain; charset=utf-8\r\n");
        text.ShouldEndWith("\r\n\r\n" + checkpoint);

        request = AnswerAsync("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        (await Should.ThrowAsync<HttpRequestException>(() => sink.SendAsync(checkpoint, default).InTime())).Message.ShouldBe("it answered with status 302");
        await request;

        async Task<string> AnswerAsync(string answer)
        {
            using var client = await listener.AcceptTcpClientAsync();
            var (received, buffer) = (new MemoryStream(), new byte[4096]);
            // The note is the end of the request.
            while (!Encoding.UTF8.GetString(received.ToArray()).EndsWith(checkpoint.ToString(), StringComparison.Ordinal))
                received.Write(buffer, 0, await client.GetStream().ReadAsync(buffer));
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(answer));
            return Encoding.UTF8.GetString(received.ToArray());
        }
    }

    [Fact]
    public async Task A_syslog_gets_one_message_by_datagram()
    {
        using var folder = new TestFolder();
        Directory.CreateDirectory(folder.Path);
        using var unix = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        unix.Bind(new UnixDomainSocketEndPoint(Path.Combine(folder.Path, "log")));
        await ReceivesAsync(unix, $"unix:{Path.Combine(folder.Path, "log")}");
        using var udp = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        udp.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        await ReceivesAsync(udp, $"udp:127.0.0.1:{((IPEndPoint)udp.LocalEndPoint!).Port}");

        static async Task ReceivesAsync(Socket socket, string where)
        {
            var checkpoint = Of(17);
            await SyslogSink.Of(new() { Syslog = where }, "mail.example.org")!.SendAsync(checkpoint, default).InTime();
            var buffer = new byte[8192];
            var text = Encoding.UTF8.GetString(buffer, 0, await socket.ReceiveAsync(buffer).InTime());
            // RFC 5424 §6: facility 13, severity 5, version 1.
            text.ShouldMatch(@"^<109>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z mail\.example\.org eventmail \d+ checkpoint - the log log\.example has 17 events with root ");
            NoteIn(text).ShouldBe(checkpoint.ToString());
            text.Length.ShouldBeLessThan(2048); // what every receiver should take (§6.1)
        }
    }

    [Fact]
    public async Task A_syslog_gets_its_message_with_its_length_by_TCP()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var checkpoint = Of(17);
        var sending = SyslogSink.Of(new() { Syslog = $"tcp:127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}" }, "")!.SendAsync(checkpoint, default);
        using var client = await listener.AcceptTcpClientAsync();
        var text = await new StreamReader(client.GetStream()).ReadToEndAsync().InTime();
        await sending.InTime();
        var space = text.IndexOf(' ');
        int.Parse(text[..space], CultureInfo.InvariantCulture).ShouldBe(text.Length - space - 1); // RFC 6587 §3.4.1
        text[(space + 1)..].ShouldMatch(@"^<109>1 \S+ - eventmail ");
        NoteIn(text).ShouldBe(checkpoint.ToString());
    }

    [Fact]
    public async Task Nobody_there_has_failed()
    {
        await Should.ThrowAsync<SocketException>(() => SyslogSink.Of(new() { Syslog = "unix:/nowhere/log" }, "h")!.SendAsync(Of(1), default));
        using var sink = WebhookSink.Of(new() { Webhook = "http://127.0.0.1:9/" })!;
        await Should.ThrowAsync<HttpRequestException>(() => sink.SendAsync(Of(1), default));
    }

    [Theory]
    [InlineData("http://example.org/", "")]
    [InlineData("file:///etc/passwd", "")]
    [InlineData("hello", "")]
    [InlineData("", "unix:log")]
    [InlineData("", "udp:host")]
    [InlineData("", "tcp:host:0")]
    [InlineData("", "tcp:host:65536")]
    [InlineData("", "/dev/log")]
    public void What_cannot_be_used_is_refused_at_the_start(string webhook, string syslog) =>
        Should.Throw<SettingsException>(() =>
        {
            WebhookSink.Of(new() { Webhook = webhook })?.Dispose();
            SyslogSink.Of(new() { Syslog = syslog }, "h");
        }).Message.ShouldStartWith("Audit:");

    private sealed class Lines : ILogger
    {
        public ConcurrentQueue<string> All { get; } = new();

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            All.Enqueue(formatter(state, exception));
    }
}
