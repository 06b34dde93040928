using System.Text;
using EventMail.Protocols.Smtp.Client;
using EventMail.Testing;
using FsCheck;
using FsCheck.Fluent;

namespace EventMail.Protocols.Tests.Smtp.Client;

/// <summary>Replies over a stream in memory, whole and in pieces.</summary>
public sealed class ReplyParserTests
{
    [Theory]
    [InlineData("250 Ok\r\n", 250, null, "Ok")]
    [InlineData("250\r\n", 250, null, "")]
    [InlineData("250 \r\n", 250, null, "")]
    [InlineData("250-\r\n250\r\n", 250, null, "")]
    [InlineData("250 2.1.0 Ok\r\n", 250, "2.1.0", "Ok")]
    [InlineData("550-5.7.1 One\r\n550-5.7.1  two\r\n550 5.7.1 three\r\n", 550, "5.7.1", "One two three")]
    [InlineData("550-One\r\n550 5.7.1 two\r\n", 550, "5.7.1", "One two")]
    [InlineData("550 4.7.1 Later\r\n", 550, "4.7.1", "Later")]
    [InlineData("550 2.0.0 Ok\r\n", 550, null, "2.0.0 Ok")]
    [InlineData("250 5.1.1 No\r\n", 250, null, "5.1.1 No")]
    [InlineData("550 5.1.1\r\n", 550, "5.1.1", "")]
    [InlineData("550 5.1.1234 No\r\n", 550, null, "5.1.1234 No")]
    [InlineData("550 5.1 No\r\n", 550, null, "5.1 No")]
    [InlineData("550 5.1.1: No\r\n", 550, null, "5.1.1: No")]
    [InlineData("250 a\tb\u0000c\u001b[31m\r\n", 250, null, "a b?c?[31m")]
    [InlineData("250 \u00e4\r\n", 250, null, "?")]
    public async Task A_reply_is_its_code_its_enhanced_code_and_one_line(string octets, int code, string? enhanced, string text)
    {
        foreach (var size in (int[])[1, 3, 10_000])
        {
            var reply = await ReadAsync(Encoding.Latin1.GetBytes(octets), size);
            (reply.Code, reply.Enhanced, reply.Text).ShouldBe((code, enhanced, text));
        }
    }

    [Fact]
    public async Task Text_in_UTF_8_is_for_transactions_in_UTF_8()
    {
        var reply = await ReadAsync(Encoding.UTF8.GetBytes("550 5.1.1 jürgen \u202egnp.exe\r\n"), 5, utf8: true);
        reply.Text.ShouldBe("jürgen ?gnp.exe");
    }

    [Fact]
    public async Task Text_is_kept_up_to_its_limit()
    {
        var limits = ClientLimits.Default;
        var lines = string.Concat(Enumerable.Repeat($"250-{new string('x', 900)}\r\n", 5)) + "250 end\r\n";
        (await ReadAsync(Encoding.ASCII.GetBytes(lines), 1000)).Text.Length.ShouldBe(limits.Text);
    }

    [Theory]
    [InlineData(4095, 250)]
    [InlineData(4097, 0)]
    public async Task A_line_has_a_limit(int length, int code) =>
        (await ReadAsync(Encoding.ASCII.GetBytes($"250 {new string('x', length - 6)}\r\n"), 1000)).Code.ShouldBe(code);

    [Theory]
    [InlineData(200, 250)]
    [InlineData(201, 0)]
    public async Task Lines_have_a_limit(int lines, int code) =>
        (await ReadAsync(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("250-x\r\n", lines - 1)) + "250 x\r\n"), 1000)).Code.ShouldBe(code);

    [Fact]
    public void Any_octets_are_a_reply_or_a_fault_and_text_is_always_printable() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(FuzzTimes.Of(100)), Prop.ForAll(
            Gen.OneOf(Gen.Elements("250 "u8.ToArray(), "250-"u8.ToArray(), "5.1.1 "u8.ToArray(), "\r\n"u8.ToArray()), Gen.Choose(0, 255).Select(b => new[] { (byte)b }))
                .ListOf().Select(pieces => pieces.SelectMany(piece => piece).ToArray()).ToArbitrary(),
            octets =>
            {
                var parser = new ReplyParser(ClientLimits.Default, utf8: true);
                foreach (var line in Encoding.Latin1.GetString(octets).Split('\n'))
                {
                    if (parser.Add(Encoding.Latin1.GetBytes(line)) is { } reply)
                    {
                        reply.Text.ShouldAllBe(c => !char.IsControl(c));
                        EhloReply.NameOf(reply);
                        EhloReply.Read(reply);
                        (reply.Code is 0 or (>= 200 and < 600)).ShouldBeTrue();
                        return;
                    }
                }
            }));

    [Fact]
    public void An_EHLO_reply_is_read_however_it_is_written()
    {
        var reply = new RemoteReply(250, null, "", [
            "mx.example greets you", "size 1000", "SIZE=1000", "8bitmime", "PIPELINING", "CHUNKING", "BINARYMIME", "AUTH=LOGIN PLAIN", "AUTH PLAIN scram-sha-256",
            "LIMITS RCPTMAX=20 MAILMAX=0 RCPTDOMAINMAX=1", "DELIVERBY 240", "X-UNKNOWN what", "", "MT-PRIORITY STANAG4406", "REQUIRETLS", "ENHANCEDSTATUSCODES",
        ]);
        EhloReply.NameOf(reply).ShouldBe("mx.example");
        var peer = EhloReply.Read(reply);
        peer.Mechanisms.ShouldBe(["LOGIN", "PLAIN", "SCRAM-SHA-256"]);
        peer.ShouldBe(new PeerExtensions
        {
            Size = true,
            MaxSize = 1000,
            EightBitMime = true,
            Pipelining = true,
            Chunking = true,
            BinaryMime = true,
            MaxRecipients = 20,
            MaxDomains = 1,
            DeliverBy = true,
            MinDeliverBy = 240,
            MtPriority = true,
            RequireTls = true,
            EnhancedStatusCodes = true,
            Mechanisms = peer.Mechanisms,
        });
    }

    private static async Task<RemoteReply> ReadAsync(byte[] octets, int size, bool utf8 = false)
    {
        await using var wire = new ClientWire(new Pieces(octets, size), null, ClientLimits.Default) { Utf8 = utf8 };
        return await wire.ReadAsync(TimeSpan.FromSeconds(10));
    }

    private sealed class Pieces(byte[] octets, int size) : MemoryStream(octets)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(size, buffer.Length)], cancellationToken);
    }
}
