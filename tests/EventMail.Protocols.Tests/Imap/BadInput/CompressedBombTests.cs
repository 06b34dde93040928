using System.IO.Compression;
using System.Text;
using EventMail.Testing.Transcripts;

namespace EventMail.Protocols.Tests.Imap.BadInput;

/// <summary>Few octets that stand for very many (RFC 4978 §5): the limits are those of what comes out.</summary>
public sealed class CompressedBombTests(ImapFixture fixture) : IClassFixture<ImapFixture>
{
    [Fact]
    public async Task A_line_without_end_is_given_up_at_its_limit_and_others_are_served_meanwhile()
    {
        await using var other = await fixture.LogInAsync(await fixture.NewAccountAsync());
        var (client, stream) = await OpenAsync();
        // 256 MiB in 256 KiB.
        var sending = SendAsync(stream, "b SEARCH SUBJECT ", 256 << 20, "\r\n");
        (await other.AskAsync("z NOOP")).ShouldBe("z OK NOOP completed");
        (await client.ReadLineAsync())!.ShouldStartWith("* BYE ");
        await client.ExpectClosedAsync();
        // It could not be sent to its end.
        await Record.ExceptionAsync(() => sending);
        (await other.AskAsync("y NOOP")).ShouldBe("y OK NOOP completed");
    }

    [Fact]
    public async Task A_message_above_the_limit_is_read_away_octet_for_octet_and_refused()
    {
        var (client, stream) = await OpenAsync();
        const int Size = 60 << 20;
        await SendAsync(stream, $"b APPEND INBOX {{{Size}+}}\r\n", Size, "\r\nc STATUS INBOX (MESSAGES)\r\n");
        (await client.ReadLineAsync())!.ShouldStartWith("b NO [TOOBIG] ");
        (await client.ReadLineAsync()).ShouldBe("* STATUS INBOX (MESSAGES 0)");
        (await client.ReadLineAsync())!.ShouldStartWith("c OK ");
    }

    [Fact]
    public async Task A_literal_that_is_too_large_to_be_read_away_ends_the_session_unread()
    {
        var (client, stream) = await OpenAsync();
        var sending = SendAsync(stream, "b APPEND INBOX {1000000000+}\r\n", 256 << 20, "");
        (await client.ReadLineAsync())!.ShouldStartWith("* BYE [TOOBIG] ");
        await client.ExpectClosedAsync();
        await Record.ExceptionAsync(() => sending);
    }

    [Fact]
    public async Task Ten_thousand_commands_in_a_few_hundred_octets_are_answered_one_by_one()
    {
        var (client, stream) = await OpenAsync();
        var deflated = Deflated(string.Concat(Enumerable.Repeat("b NOOP\r\n", 10_000)), 0, "");
        deflated.Length.ShouldBeLessThan(1000);
        await stream.WriteAsync(deflated);
        await stream.FlushAsync();
        for (var i = 0; i < 10_000; i++)
            (await client.ReadLineAsync()).ShouldBe("b OK NOOP completed");
    }

    /// <summary>Logged in and compressed; what is sent goes to the stream, deflated already.</summary>
    private async Task<(ScriptedClient Client, Stream Stream)> OpenAsync()
    {
        var account = await fixture.NewAccountAsync();
        var stream = fixture.Open().Client;
        var client = new ScriptedClient(stream);
        await client.ReadLineAsync();
        await client.SendLineAsync($"l LOGIN {account.Address} {Testing.TestMail.Password}");
        await client.ExpectMatchAsync("l OK .*");
        (await client.AskAsync("a COMPRESS DEFLATE")).ShouldBe("a OK DEFLATE active");
        client.StartDeflate();
        return (client, stream);
    }

    private static async Task SendAsync(Stream stream, string before, int filling, string behind)
    {
        await stream.WriteAsync(Deflated(before, filling, behind));
        await stream.FlushAsync();
    }

    private static byte[] Deflated(string before, int filling, string behind)
    {
        var result = new MemoryStream();
        using var deflater = new DeflateStream(result, CompressionLevel.Optimal, leaveOpen: true);
        deflater.Write(Encoding.ASCII.GetBytes(before));
        var piece = Encoding.ASCII.GetBytes(new string('x', 1 << 20));
        for (var left = filling; left > 0; left -= piece.Length)
            deflater.Write(piece, 0, Math.Min(piece.Length, left));
        deflater.Write(Encoding.ASCII.GetBytes(behind));
        deflater.Flush();
        return result.ToArray();
    }
}
