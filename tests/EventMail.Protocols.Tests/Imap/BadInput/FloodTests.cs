using System.Globalization;
using System.Net;
using System.Text;
using EventMail.Protocols.Imap;
using EventMail.Protocols.Wire;
using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.Protocols.Tests.Imap.BadInput;

/// <summary>Clients that do not wait and clients that do not read.</summary>
public sealed class FloodTests(ImapFixture fixture) : IClassFixture<ImapFixture>
{
    [Fact]
    public async Task Ten_thousand_pipelined_commands_are_answered_in_their_order()
    {
        await using var client = await fixture.LogInAsync(await fixture.NewAccountAsync(), fixture.ServicesWith(new() { MaxErrors = int.MaxValue }));
        var commands = new StringBuilder();
        for (var i = 0; i < 10_000; i++)
            commands.Append(CultureInfo.InvariantCulture, $"n{i} ").Append(i % 3 == 0 ? "NOOP" : i % 3 == 1 ? "RUBBISH (" : "CHECK").Append("\r\n");
        var sending = client.SendAsync(Encoding.ASCII.GetBytes(commands.ToString()));
        for (var i = 0; i < 10_000; i++)
            (await client.ReadLineAsync())!.ShouldStartWith($"n{i} {(i % 3 == 0 ? "OK" : "BAD")} ");
        await sending;
    }

    [Fact]
    public async Task A_client_that_reads_nothing_is_cut_off_in_time_and_others_are_served_meanwhile()
    {
        var account = await fixture.NewAccountAsync();
        await using var other = await fixture.LogInAsync(account);
        await other.SendAsync(Encoding.ASCII.GetBytes($"m APPEND INBOX {{200015+}}\r\nSubject: x\r\n\r\n{new string('x', 200_000)}x\r\n"));
        await other.ExpectMatchAsync("m OK .*");

        var (server, client) = MemoryConnection.Create();
        var details = new ConnectionDetails("slow", "imap", new(IPAddress.Loopback, 143), new(IPAddress.Loopback, 40000), AllowPlaintextLogin: true);
        var connection = new MailConnection(server, details) { WriteTimeout = TimeSpan.FromSeconds(3) };
        var served = ImapServer.ServeAsync(connection, fixture.Services, default);
        var commands = $"a LOGIN {account.Address} {TestMail.Password}\r\nb SELECT INBOX\r\n"
            + string.Concat(Enumerable.Repeat("c FETCH 1 BODY.PEEK[]\r\n", 1000));
        await client.WriteAsync(Encoding.ASCII.GetBytes(commands));
        await client.FlushAsync();

        (await other.AskAsync("z NOOP")).ShouldBe("z OK NOOP completed");
        await served.WaitAsync(Waiting.Limit);
        await connection.DisposeAsync();
        await server.Output.CompleteAsync();
        // Two hundred megabytes were asked for; what was written ahead is what the connection's buffers hold.
        var written = 0L;
        var buffer = new byte[65536];
        while (await client.ReadAsync(buffer) is > 0 and var read)
            written += read;
        written.ShouldBeLessThan(2 << 20);
        (await other.AskAsync("y NOOP")).ShouldBe("y OK NOOP completed");
    }
}
