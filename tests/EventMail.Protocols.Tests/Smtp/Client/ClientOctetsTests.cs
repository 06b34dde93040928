using System.Buffers;
using System.Text;
using EventMail.Protocols.Smtp;
using EventMail.Protocols.Smtp.Client;
using EventMail.Testing;
using FsCheck;
using FsCheck.Fluent;

namespace EventMail.Protocols.Tests.Smtp.Client;

/// <summary>What arrives at our own server is what was sent, octet by octet.</summary>
public sealed class ClientOctetsTests
{
    // Mostly what matters: dots, line ends in halves, long lines, octets beyond ASCII.
    private static readonly Gen<byte[]> Pieces = Gen.OneOf(
        Gen.Elements("."u8.ToArray(), "\r\n"u8.ToArray(), "\r\n"u8.ToArray(), "\n"u8.ToArray(), "\r"u8.ToArray(), "\r\n."u8.ToArray(), "\r\n.\r\n"u8.ToArray(), "x"u8.ToArray()),
        Gen.Choose(1, 3000).Select(n => Enumerable.Repeat((byte)'a', n).ToArray()),
        Gen.Choose(0, 255).Select(b => new[] { (byte)b }));

    private static readonly Arbitrary<byte[]> Octets =
        Pieces.ListOf().Select(pieces => pieces.SelectMany(piece => piece).ToArray()).ToArbitrary();

    public static TheoryData<string, bool, int> Ways => new()
    {
        { "7bit", false, 256 * 1024 }, { "8bitmime", false, 256 * 1024 }, { "8bitmime", true, 256 * 1024 }, { "8bitmime", true, 10 },
        { "binarymime", true, 256 * 1024 }, { "binarymime", true, 10 },
    };

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Any_octets_arrive_as_they_are_or_with_whole_line_ends(string body, bool chunking, int chunk)
    {
        var harness = new SmtpHarness();
        await using var listener = await TestListener.StartAsync(connection => SmtpServer.ServeAsync(connection, harness.Services, CancellationToken.None));
        await using var client = await ClientTesting.ConnectAsync(new("localhost", new(System.Net.IPAddress.Loopback, listener.Port)), ClientTesting.Options with
        {
            UseChunking = chunking,
            Limits = ClientLimits.Default with { Chunk = chunk },
            MaxTransactions = 10_000,
        });
        (client.Extensions.Pipelining, client.Extensions.Chunking, client.Extensions.BinaryMime, client.Extensions.EightBitMime).ShouldBe((true, true, true, true));
        var sent = 0;
        foreach (var octets in Octets.Generator.Sample(60, 40))
        {
            // In front a header, so that the property holds whatever the server thinks of headers.
            byte[] message = [.. "Subject: x\r\n\r\n"u8, .. octets];
            var result = await client.SendAsync(ClientTesting.Message(message, "alice@example.org", "nobody@example.org") with
            {
                Body = body,
                Content = _ => ClientTesting.Pieces(message, 1 + (message.Length / 3)),
            });
            result.Recipients[0].ShouldSatisfyAllConditions(r => r.Outcome.ShouldBe(SendOutcome.Delivered, r.Text), r => r.Stage.ShouldBe("final"));
            result.Recipients[1].ShouldSatisfyAllConditions(r => r.Outcome.ShouldBe(SendOutcome.Failed), r => r.Enhanced.ShouldBe("5.1.1"));
            var expected = body == "binarymime" ? Encoding.Latin1.GetString(message) : WholeLines(message, endsLast: !chunking);
            harness.Destination.Deliveries[sent++].Sent.ShouldBe(expected);
        }

        client.CanReuse.ShouldBeTrue();
        await client.QuitAsync();
    }

    [Fact]
    public void Lines_end_in_CRLF_however_the_message_is_cut_into_pieces() =>
        Prop.ForAll(Octets, Gen.Choose(1, 80).ToArbitrary(), (message, size) =>
        {
            var (lines, stuffed) = (new MessageLines(stuffed: false), new MessageLines(stuffed: true));
            var (output, data) = (new ArrayBufferWriter<byte>(), new ArrayBufferWriter<byte>());
            foreach (var piece in message.Chunk(size))
            {
                lines.Write(output, piece);
                stuffed.Write(data, piece);
            }

            lines.End(output);
            stuffed.End(data);
            Encoding.Latin1.GetString(output.WrittenSpan).ShouldBe(WholeLines(message, endsLast: false));
            var text = Encoding.Latin1.GetString(data.WrittenSpan);
            text.ShouldEndWith(".\r\n");
            // RFC 5321 §4.5.2: nothing but the end looks like the end, whatever a host takes for line ends.
            text.Replace("\r\n", "").ShouldNotContain("\r");
            text.Replace("\r\n", "").ShouldNotContain("\n");
            ("\r\n" + text).IndexOf("\r\n.\r\n", StringComparison.Ordinal).ShouldBe(text.Length - 3);
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_large_message_goes_in_blocks_and_in_bounded_chunks(bool chunking)
    {
        var harness = new SmtpHarness();
        await using var listener = await TestListener.StartAsync(
            connection => SmtpServer.ServeAsync(connection, harness.Services, CancellationToken.None), TestCertificate.Tls);
        await using var client = await ClientTesting.ConnectAsync(
            new("localhost", new(System.Net.IPAddress.Loopback, listener.Port)), ClientTesting.Options with { UseChunking = chunking });
        client.Tls.ShouldNotBeNull();
        var message = Encoding.ASCII.GetBytes("Subject: x\r\n\r\n" + string.Concat(Enumerable.Range(0, 100_000).Select(i => $".{i} {new string('x', i % 70)}\r\n")));
        foreach (var size in (int[])[1_000, 1_000_000, 10_000_000])
        {
            var result = await client.SendAsync(ClientTesting.Message(message, "alice@example.org") with { Content = _ => ClientTesting.Pieces(message, size) });
            result.Only().Outcome.ShouldBe(SendOutcome.Delivered);
        }

        harness.Destination.Deliveries.Count.ShouldBe(3);
        harness.Destination.Deliveries.ShouldAllBe(delivered => delivered.Sent == Encoding.ASCII.GetString(message));
    }

    [Fact]
    public async Task A_refused_chunk_ends_the_transaction_and_not_the_connection()
    {
        // RFC 3030 §2
        var chunks = 0;
        await using var peer = new ScriptedPeer("CHUNKING", "PIPELINING")
        {
            Answer = command => command.StartsWith("BDAT", StringComparison.Ordinal) && ++chunks == 2 ? "552 5.3.4 Too big" : null,
        };
        await using var client = await ClientTesting.ConnectAsync(peer.Host, ClientTesting.Options with { Limits = ClientLimits.Default with { Chunk = 100 } });
        var result = (await client.SendAsync(ClientTesting.Message(new string('x', 1000)))).Only();
        result.ShouldBe(new(SendOutcome.Failed, 552, "5.3.4", "Too big", "data"));
        (await client.SendAsync(ClientTesting.Small())).Only().Outcome.ShouldBe(SendOutcome.Delivered);
        peer.CommandsNamed("RSET").Count().ShouldBe(1);
        peer.CommandsNamed("BDAT").Last().ShouldEndWith(" LAST");
    }

    [Theory]
    [InlineData(ScriptedPeer.Close, SendOutcome.Unknown)]
    [InlineData("Hello", SendOutcome.Unknown)]
    [InlineData("451 4.3.0 Not now", SendOutcome.Deferred)]
    [InlineData("554 5.6.0 Never", SendOutcome.Failed)]
    public async Task The_last_chunk_is_as_certain_as_the_final_dot(string answer, SendOutcome outcome)
    {
        await using var peer = new ScriptedPeer("CHUNKING") { Answer = command => command.EndsWith(" LAST", StringComparison.Ordinal) ? answer : null };
        await using var client = await ClientTesting.ConnectAsync(peer.Host, ClientTesting.Options with { Limits = ClientLimits.Default with { Chunk = 10 } });
        var result = (await client.SendAsync(ClientTesting.Small())).Only();
        (result.Outcome, result.Stage).ShouldBe((outcome, "final"));
    }

    [Fact]
    public async Task An_empty_message_is_sent_by_either_way()
    {
        foreach (var extension in (string[])["CHUNKING", "PIPELINING"])
        {
            await using var peer = new ScriptedPeer(extension);
            await using var client = await ClientTesting.ConnectAsync(peer.Host);
            (await client.SendAsync(ClientTesting.Message(""))).Only().Outcome.ShouldBe(SendOutcome.Delivered);
            peer.Messages.Single().ShouldBeEmpty();
        }
    }

    private static string WholeLines(byte[] message, bool endsLast)
    {
        var text = Encoding.Latin1.GetString(message).Replace("\r\n", "\n").Replace('\r', '\n').Replace("\n", "\r\n");
        return !endsLast || text.Length == 0 || text.EndsWith("\r\n", StringComparison.Ordinal) ? text : text + "\r\n";
    }
}
