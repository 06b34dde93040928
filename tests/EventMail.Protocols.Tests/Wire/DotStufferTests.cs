using System.Buffers;
using System.Text;
using EventMail.Protocols.Wire;
using FsCheck;
using FsCheck.Fluent;

namespace EventMail.Protocols.Tests.Wire;

public sealed class DotStufferTests
{
    [Theory]
    [InlineData("", ".\r\n")]
    [InlineData("a\r\n", "a\r\n.\r\n")]
    [InlineData("a", "a\r\n.\r\n")]
    [InlineData("a\r", "a\r\n.\r\n")]
    [InlineData(".", "..\r\n.\r\n")]
    [InlineData(".\r\n", "..\r\n.\r\n")]
    [InlineData("..a\r\n.b\r\nc.d\r\n", "...a\r\n..b\r\nc.d\r\n.\r\n")]
    [InlineData("a\n.\nb\r\n", "a\n..\nb\r\n.\r\n")]
    [InlineData("\r\n\r\n.\r\n", "\r\n\r\n..\r\n.\r\n")]
    public void A_dot_at_the_start_of_a_line_is_doubled_and_a_lone_dot_ends_the_answer(string message, string expected) =>
        Stuff(Encoding.ASCII.GetBytes(message), []).ShouldBe(expected);

    [Fact]
    public void Pieces_make_no_difference()
    {
        var bytes = Gen.Elements((byte)'.', (byte)'\r', (byte)'\n', (byte)'a').ListOf().Select(list => list.ToArray());
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(1000), Prop.ForAll(
            Arb.From(bytes), Arb.From(Gen.Choose(1, 5).ListOf()), (message, cuts) => Stuff(message, [.. cuts]) == Stuff(message, [])));
    }

    private static string Stuff(byte[] message, int[] cuts)
    {
        var output = new ArrayBufferWriter<byte>();
        var stuffer = new DotStuffer();
        var at = 0;
        foreach (var cut in cuts)
        {
            var count = Math.Min(cut, message.Length - at);
            stuffer.Write(output, message.AsSpan(at, count));
            at += count;
        }

        stuffer.Write(output, message.AsSpan(at));
        stuffer.End(output);
        return Encoding.ASCII.GetString(output.WrittenSpan);
    }
}
