using System.Buffers;
using System.IO.Compression;
using System.Net;
using System.Text;
using EventMail.Protocols.Wire;
using EventMail.Testing;
using EventMail.Testing.Transcripts;
using FsCheck;
using FsCheck.Fluent;

namespace EventMail.Protocols.Tests.Wire;

/// <summary>A connection that is deflated both ways (RFC 4978), without a protocol on it.</summary>
public sealed class CompressionTests
{
    private static readonly ConnectionDetails Details = new("c1", "imap", new(IPAddress.Loopback, 143), new(IPAddress.Loopback, 40000));

    [Fact]
    public async Task Whatever_is_let_go_in_between_the_client_reads_what_was_written_and_the_server_what_was_sent()
    {
        var (connection, client) = Open();
        var random = new Random(7);
        for (var i = 0; i < 200; i++)
        {
            // Repeats itself, so that back references reach over what was let go.
            var text = Encoding.ASCII.GetBytes($"a{i} UID FETCH {random.Next(1, 99999)}:* (FLAGS) " + new string('x', random.Next(0, 3000)));
            await client.WriteAsync(text);
            await client.FlushAsync();
            (await ReadAsync(connection, text.Length)).ShouldBe(text);

            connection.Output.Write(text);
            await connection.FlushAsync();
            var back = new byte[text.Length];
            await client.ReadExactlyAsync(back);
            back.ShouldBe(text);
            if (random.Next(3) == 0)
            {
                connection.ReleaseCompression();
            }
        }
    }

    [Fact]
    public async Task Back_references_of_32_KiB_survive_the_release()
    {
        var (connection, client) = Open();
        var block = new byte[32 * 1024 - 300];
        new Random(3).NextBytes(block);
        for (var round = 0; round < 4; round++)
        {
            await client.WriteAsync(block);
            await client.FlushAsync();
            (await ReadAsync(connection, block.Length)).ShouldBe(block);
            connection.ReleaseCompression();
        }
    }

    [Fact]
    public void Any_cut_of_the_deflated_stream_is_inflated_to_the_same() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(100),
        Prop.ForAll<byte[], int[]>((seed, cuts) =>
        {
            var plain = Enumerable.Repeat(seed, 50).SelectMany(b => b).Concat("end\r\n"u8.ToArray()).ToArray();
            var deflated = Deflated(plain, end: false);
            InflateInPiecesAsync(plain, deflated, cuts).Wait(Waiting.Limit).ShouldBeTrue();
        }));

    private static async Task InflateInPiecesAsync(byte[] plain, byte[] deflated, int[] cuts)
    {
        var (server, client) = MemoryConnection.Create(1 << 20);
        await using var connection = new MailConnection(server, Details);
        connection.StartCompression();
        var reading = ReadAsync(connection, plain.Length);
        foreach (var cut in cuts.Select(c => (int)((uint)c % (uint)deflated.Length)).Append(0).Append(deflated.Length).Distinct().Order().Aggregate(
            new List<(int From, int To)>(), (pieces, at) => [.. pieces, (pieces.Count == 0 ? 0 : pieces[^1].To, at)]))
        {
            await client.WriteAsync(deflated.AsMemory(cut.From..cut.To));
            await client.FlushAsync();
        }

        (await reading).ShouldBe(plain);
    }

    [Fact]
    public async Task What_is_not_deflate_ends_the_input_and_says_so()
    {
        var (server, client) = MemoryConnection.Create();
        await using var connection = new MailConnection(server, Details);
        connection.StartCompression();
        await client.WriteAsync("a NOOP\r\n"u8.ToArray());
        await client.FlushAsync();
        (await connection.ReadAsync(TimeSpan.FromSeconds(10))).Status.ShouldBe(ReadStatus.Closed);
        connection.IsInputCorrupt.ShouldBeTrue();
    }

    [Fact]
    public async Task A_bomb_is_inflated_no_further_than_it_is_read()
    {
        var (server, client) = MemoryConnection.Create(1 << 20);
        await using var connection = new MailConnection(server, Details);
        connection.StartCompression();
        // 64 MiB in 64 KiB.
        await client.WriteAsync(Deflated(new byte[64 << 20], end: false));
        await client.FlushAsync();
        var (status, buffer) = await connection.ReadAsync(TimeSpan.FromSeconds(20));
        status.ShouldBe(ReadStatus.Data);
        buffer.Length.ShouldBeLessThanOrEqualTo(16 * 1024);
        connection.AdvanceTo(buffer.End);
        var line = new Line();
        (await connection.ReadLineAsync(line, 1000, TimeSpan.FromMilliseconds(1500))).ShouldBe(LineStatus.TimedOut);
        line.Length.ShouldBeLessThanOrEqualTo(1001);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)] // It ends its stream with a last block.
    public async Task Plaintext_behind_the_flush_is_there_when_the_compression_ends(bool end)
    {
        var (server, client) = MemoryConnection.Create();
        await using var connection = new MailConnection(server, Details);
        connection.StartCompression();
        byte[] sent = [.. Deflated("a UNAUTHENTICATE\r\n"u8.ToArray(), end), .. "b LOGIN x y\r\n"u8.ToArray()];
        await client.WriteAsync(sent);
        await client.FlushAsync();
        Encoding.ASCII.GetString(await ReadAsync(connection, 18)).ShouldBe("a UNAUTHENTICATE\r\n");
        connection.EndCompression().ShouldBeTrue();
        Encoding.ASCII.GetString(await ReadAsync(connection, 13)).ShouldBe("b LOGIN x y\r\n");
    }

    [Fact]
    public async Task Plaintext_behind_a_stream_whose_only_block_is_its_last_is_there_too()
    {
        var (server, client) = MemoryConnection.Create();
        await using var connection = new MailConnection(server, Details);
        connection.StartCompression();
        var deflated = new MemoryStream();
        await using (var deflater = new DeflateStream(deflated, CompressionLevel.Optimal, leaveOpen: true))
        {
            await deflater.WriteAsync("a UNAUTHENTICATE\r\n"u8.ToArray());
        }

        byte[] sent = [.. deflated.ToArray(), .. "b LOGIN x y\r\n"u8.ToArray()];
        await client.WriteAsync(sent);
        await client.FlushAsync();
        Encoding.ASCII.GetString(await ReadAsync(connection, 18)).ShouldBe("a UNAUTHENTICATE\r\n");
        connection.EndCompression().ShouldBeTrue();
        Encoding.ASCII.GetString(await ReadAsync(connection, 13)).ShouldBe("b LOGIN x y\r\n");
    }

    [Theory]
    [InlineData("")]
    [InlineData("000000FFFF")] // Flushed again.
    [InlineData("0300")] // Ended: by fixed codes,
    [InlineData("010000FFFF")] // by an empty stored block,
    [InlineData("000000FFFF0300")] // behind another flush.
    public async Task Plaintext_is_whole_behind_every_way_to_flush_and_to_end(string behindTheFlush)
    {
        var (server, client) = MemoryConnection.Create();
        await using var connection = new MailConnection(server, Details);
        connection.StartCompression();
        // As text that is stored it holds what a flush looks like, and behind it what a last block begins with.
        byte[] text = [.. "a APPEND INBOX {6+}\r\n"u8, 0, 0, 0xFF, 0xFF, 1, 1, .. "\r\nb UNAUTHENTICATE\r\n"u8];
        byte[] sent = [.. Deflated(text, end: false, CompressionLevel.NoCompression), .. Convert.FromHexString(behindTheFlush), .. "c LOGIN x y\r\n"u8];
        await client.WriteAsync(sent);
        await client.FlushAsync();
        (await ReadAsync(connection, text.Length)).ShouldBe(text);
        connection.EndCompression().ShouldBeTrue();
        Encoding.ASCII.GetString(await ReadAsync(connection, 13)).ShouldBe("c LOGIN x y\r\n");
    }

    [Fact]
    public async Task A_silent_connection_holds_no_state_of_zlibs()
    {
        var (connection, client) = Open();
        await client.WriteAsync("a NOOP\r\n"u8.ToArray());
        await client.FlushAsync();
        await ReadAsync(connection, 8);
        connection.Output.Write("a OK\r\n"u8);
        await connection.FlushAsync();
        connection.HoldsCompressionState.ShouldBeTrue();

        var waiting = connection.ReadIdleAsync(TimeSpan.FromMinutes(1));
        for (var i = 0; i < 1200 && connection.HoldsCompressionState; i++)
        {
            await Task.Delay(100);
        }

        connection.HoldsCompressionState.ShouldBeFalse();
        await client.WriteAsync("b NOOP\r\n"u8.ToArray());
        await client.FlushAsync();
        var (status, buffer) = await waiting;
        status.ShouldBe(ReadStatus.Data);
        Encoding.ASCII.GetString(buffer.ToArray()).ShouldBe("b NOOP\r\n");
        connection.AdvanceTo(buffer.End);
    }

    private static (MailConnection Connection, Stream Client) Open()
    {
        var (server, client) = MemoryConnection.Create(1 << 20);
        var connection = new MailConnection(server, Details);
        connection.StartCompression();
        return (connection, new DeflatedStream(client, []));
    }

    private static byte[] Deflated(byte[] plain, bool end, CompressionLevel level = CompressionLevel.Optimal)
    {
        var result = new MemoryStream();
        using var deflater = new DeflateStream(result, level, leaveOpen: true);
        deflater.Write(plain);
        deflater.Flush();
        if (end)
        {
            deflater.Dispose();
        }

        return result.ToArray();
    }

    private static async Task<byte[]> ReadAsync(MailConnection connection, int count)
    {
        var result = new List<byte>();
        while (result.Count < count)
        {
            var (status, buffer) = await connection.ReadAsync(TimeSpan.FromSeconds(20));
            status.ShouldBe(ReadStatus.Data);
            result.AddRange(buffer.ToArray());
            connection.AdvanceTo(buffer.End);
        }

        return [.. result];
    }
}
