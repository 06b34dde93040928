using System.Buffers;
using System.Text;
using EventMail.Protocols.Wire;
using FsCheck;
using FsCheck.Fluent;

namespace EventMail.Protocols.Tests.Wire;

public sealed class DotStufferTests
{
    // Mostly what matters: dots and line ends; long runs so that the vectors' edges are met.
    private static readonly Arbitrary<byte[]> Octets = Gen.OneOf(
            Gen.Elements("."u8.ToArray(), "\r\n"u8.ToArray(), "\n"u8.ToArray(), "\r"u8.ToArray(), "\r\n."u8.ToArray(), "x"u8.ToArray()),
            Gen.Choose(1, 70).Select(n => Enumerable.Repeat((byte)'a', n).ToArray()),
            Gen.Choose(0, 255).Select(b => new[] { (byte)b }))
        .ListOf()
        .Select(pieces => pieces.SelectMany(piece => piece).ToArray())
        .ToArbitrary();

    [Theory]
    [InlineData("", ".\r\n")]
    [InlineData("a\r\n", "a\r\n.\r\n")]
    [InlineData("a", "a\r\n.\r\n")]
    [InlineData(".", "..\r\n.\r\n")]
    [InlineData(".\r\n..\r\n", "..\r\n...\r\n.\r\n")]
    [InlineData("a\r\n.\r\nb\r\n", "a\r\n..\r\nb\r\n.\r\n")]
    [InlineData("a\n.\nb", "a\r\n..\r\nb\r\n.\r\n")]
    [InlineData("\n", "\r\n.\r\n")]
    [InlineData("a\rb\r\n", "a\rb\r\n.\r\n")]
    [InlineData("a\r", "a\r\n.\r\n")]
    [InlineData("..a\r\n.b\r\nc.d\r\n", "...a\r\n..b\r\nc.d\r\n.\r\n")]
    [InlineData("\r\n\r\n.\r\n", "\r\n\r\n..\r\n.\r\n")]
    public void Lines_are_dot_stuffed_and_end_in_crlf(string message, string sent) => Stuff(message, message.Length + 1).ShouldBe(sent);

    [Fact]
    public void A_client_that_unstuffs_has_the_message_with_crlf_line_ends_and_as_many_octets_as_were_announced() =>
        Prop.ForAll(Octets, message =>
        {
            var lines = new DotStuffer();
            var output = new ArrayBufferWriter<byte>();
            lines.Write(output, message);
            lines.End(output);
            var expected = WithCrlf(message);
            Unstuff(Encoding.Latin1.GetString(output.WrittenSpan)).ShouldBe(expected);
            lines.Octets.ShouldBe(expected.Length);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Pieces_of_any_size_give_the_same_lines() =>
        Prop.ForAll(Octets, Gen.Choose(1, 80).ToArbitrary(), (message, size) =>
            Stuff(Encoding.Latin1.GetString(message), size).ShouldBe(Stuff(Encoding.Latin1.GetString(message), message.Length + 1)))
        .QuickCheckThrowOnFailure();

    private static string Stuff(string message, int pieceSize)
    {
        var lines = new DotStuffer();
        var output = new ArrayBufferWriter<byte>();
        foreach (var piece in Encoding.Latin1.GetBytes(message).Chunk(pieceSize))
        {
            lines.Write(output, piece);
        }

        lines.End(output);
        return Encoding.Latin1.GetString(output.WrittenSpan);
    }

    private static string WithCrlf(byte[] message)
    {
        var text = Encoding.Latin1.GetString(message).Replace("\r\n", "\n").Replace("\n", "\r\n");
        return text.Length == 0 || text.EndsWith('\n') ? text : text.EndsWith('\r') ? text + "\n" : text + "\r\n";
    }

    private static string Unstuff(string sent)
    {
        sent.ShouldEndWith(".\r\n");
        var lines = sent[..^3].Split("\r\n");
        return string.Join("\r\n", lines.Select(line => line.StartsWith('.') ? line[1..] : line));
    }
}
