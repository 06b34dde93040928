using System.Text;
using EventMail.Protocols.Smtp;
using EventMail.Testing;

namespace EventMail.Protocols.Tests.Smtp;

/// <summary>Over real sockets: what only they can break.</summary>
public sealed class SmtpTcpTests
{
    [Fact]
    public async Task The_last_reply_arrives_although_the_client_was_still_talking()
    {
        var services = new SmtpHarness().Services;
        await using var listener = await TestListener.StartAsync(connection => SmtpServer.ServeAsync(connection, services, CancellationToken.None));
        for (var i = 0; i < 20; i++)
        {
            await using var client = await listener.ConnectAsync();
            await client.SendAsync(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("FOO\r\n", 10)) + new string('x', 150_000)));
            var replies = Encoding.ASCII.GetString(await client.ReadToEndAsync());
            replies.ShouldEndWith("421 4.7.0 Too many errors\r\n");
        }
    }

    [Fact]
    public async Task Replies_to_pipelined_commands_come_in_one_segment()
    {
        // RFC 2920 §3.2
        var harness = new SmtpHarness();
        await using var listener = await TestListener.StartAsync(connection => SmtpServer.ServeAsync(connection, harness.Services, CancellationToken.None));
        using var socket = new System.Net.Sockets.Socket(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync("127.0.0.1", listener.Port);
        var buffer = new byte[65536];
        await socket.ReceiveAsync(buffer);
        await socket.SendAsync("HELO x\r\nMAIL FROM:<>\r\nRCPT TO:<alice@example.org>\r\nRCPT TO:<bob@example.org>\r\nNOOP\r\n"u8.ToArray());
        var count = await socket.ReceiveAsync(buffer);
        Encoding.ASCII.GetString(buffer, 0, count).ShouldBe("250 mx.example.org\r\n250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n250 2.1.5 Ok\r\n250 2.0.0 Ok\r\n");
    }

    [Fact]
    public async Task Whole_messages_arrive_over_TLS_with_wake_ups_in_between()
    {
        var harness = new SmtpHarness();
        await using var listener = await TestListener.StartAsync(async connection =>
        {
            using var waking = new Timer(_ => connection.Wake(), null, 0, 1);
            await SmtpServer.ServeAsync(connection, harness.Services, CancellationToken.None);
        }, TestCertificate.Tls);
        await using var client = await listener.ConnectAsync();
        await client.ExpectMatchAsync("220 .*");
        (await client.AskAsync("STARTTLS")).ShouldStartWith("220");
        await client.StartTlsAsync();
        await client.SendLineAsync("HELO x");
        await client.ExpectMatchAsync("250 .*");
        var body = string.Concat(Enumerable.Range(0, 20_000).Select(i => $"{i} {new string((char)('a' + i % 26), i % 70)}\r\n"));
        for (var i = 0; i < 3; i++)
        {
            await client.SendAsync(Encoding.ASCII.GetBytes("MAIL FROM:<>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\n" + body + ".\r\n"));
            await client.ExpectMatchAsync("250 .*");
            await client.ExpectMatchAsync("250 .*");
            await client.ExpectMatchAsync("354 .*");
            await client.ExpectMatchAsync("250 .*");
        }

        harness.Destination.Deliveries.Count.ShouldBe(3);
        harness.Destination.Deliveries.ShouldAllBe(delivered => delivered.Sent == body);
    }
}
