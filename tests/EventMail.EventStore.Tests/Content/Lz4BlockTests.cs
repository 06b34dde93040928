using System.Text;

namespace EventMail.EventStore.Tests.Contents;

public class Lz4BlockTests
{
    // lz4_Block_format.md: token, literals, distance, match; then the last literals.
    [Theory]
    [InlineData("00", "")]
    [InlineData("3061 6263", "abc")]
    [InlineData("1061", "a")]
    [InlineData("1f61 0100 00 50 61616161 62", "aaaaaaaaaaaaaaaaaaaaaaaab")]
    [InlineData("3261 6263 0300 50 7879 7a7a 7a", "abcabcabcxyzzz")]
    [InlineData("f003 6162636465666768696a6b6c6d6e6f707172", "abcdefghijklmnopqr")]
    public void Blocks_that_the_format_describes_are_read(string hex, string text)
    {
        var output = new byte[text.Length];
        Lz4Block.TryDecompress(Hex(hex), output).ShouldBeTrue();
        Encoding.ASCII.GetString(output).ShouldBe(text);
        Lz4Block.TryDecompress(Hex(hex), new byte[text.Length + 1]).ShouldBeFalse();
        if (text.Length > 0)
            Lz4Block.TryDecompress(Hex(hex), new byte[text.Length - 1]).ShouldBeFalse();
    }

    [Theory]
    [InlineData("")]
    [InlineData("30 61")]
    [InlineData("f0")]
    [InlineData("f0 ff")]
    [InlineData("10 61 00")]
    [InlineData("10 61 0000 10 61")]
    [InlineData("10 61 0200 10 61")]
    [InlineData("1f 61 0100 ff")]
    public void Damaged_blocks_are_refused(string hex) => Lz4Block.TryDecompress(Hex(hex), new byte[100]).ShouldBeFalse();

    [Fact]
    public void What_was_compressed_is_read_back()
    {
        var random = new Random(5);
        for (var round = 0; round < 2000; round++)
        {
            var input = Sample(random, round % 300 + (round % 50 == 0 ? 70_000 : 0));
            var block = new byte[input.Length + input.Length / 200 + 16];
            var length = Lz4Block.Compress(input, block);
            length.ShouldBeGreaterThan(0);
            var output = new byte[input.Length];
            Lz4Block.TryDecompress(block.AsSpan(0, length), output).ShouldBeTrue();
            output.ShouldBe(input);
        }
    }

    [Fact]
    public void Octets_that_are_no_block_harm_nobody()
    {
        var random = new Random(6);
        var output = new byte[4096];
        for (var round = 0; round < 20_000; round++)
        {
            var input = Sample(random, random.Next(200));
            var block = new byte[300];
            var length = Lz4Block.Compress(input, block);
            for (var i = 0; i < 3 && length > 0; i++)
                block[random.Next(length)] = (byte)random.Next(256);
            Lz4Block.TryDecompress(block.AsSpan(0, length), output.AsSpan(0, input.Length));
        }
    }

    [Fact]
    public void What_does_not_fit_is_not_written()
    {
        var random = new Random(7);
        var incompressible = new byte[5000];
        random.NextBytes(incompressible);
        Lz4Block.Compress(incompressible, new byte[5000]).ShouldBe(0);
        for (var room = 0; room < 60; room++)
        {
            var block = new byte[100];
            var length = Lz4Block.Compress(Sample(random, 80), block.AsSpan(0, room));
            length.ShouldBeLessThanOrEqualTo(room);
            block.AsSpan(room).IndexOfAnyExcept((byte)0).ShouldBe(-1);
        }
    }

    [Fact]
    public void Text_takes_less_room()
    {
        var text = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 200).Select(i => $"Line {i} of a message that says little.\r\n")));
        Lz4Block.Compress(text, new byte[text.Length]).ShouldBeInRange(1, text.Length / 3);
    }

    // Few different octets, so that there are matches of all lengths and distances.
    private static byte[] Sample(Random random, int length)
    {
        var bytes = new byte[length];
        var different = 1 + random.Next(6);
        for (var i = 0; i < length; i++)
            bytes[i] = i > 20 && random.Next(3) > 0 ? bytes[i - 1 - random.Next(20)] : (byte)random.Next(different);
        return bytes;
    }

    private static byte[] Hex(string hex) => Convert.FromHexString(hex.Replace(" ", ""));
}
