using System.Text;
using EventMail.Protocols.Smtp;
using EventMail.Protocols.Smtp.Data;
using FsCheck;
using FsCheck.Fluent;

namespace EventMail.Protocols.Tests.Smtp;

public sealed class DataScannerTests
{
    /// <summary>Ends of data that some server takes or took for one. None but CRLF.CRLF may be.</summary>
    public static TheoryData<string> SmugglingVectors => new(
        "\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r.\r\n", "\r\n.\r", "\n.\r", "\r.\n", "\r\n\0.\r\n", "\r\n.\0\r\n", "\0\r\n.\0\n",
        "\n\n.\r\n", "\r\r.\r\r", "\r\n.\r\r\n", "\n.\r\r\n", "\r\n.\n\r\n", "\r\n..\r\n", "\r\n.\x85\r\n", "\r\n .\r\n", "\r\n. \r\n",
        "\n\r\n\0.\n", "\v\r\n.\f\n", "\r\n.\v\r\n");

    [Theory]
    [MemberData(nameof(SmugglingVectors))]
    public void No_smuggling_vector_ends_the_message(string vector)
    {
        var data = Latin1($"first{vector}MAIL FROM:<evil@example.com>\r\n");
        foreach (var mode in Enum.GetValues<BareLineEnds>())
        {
            Scan(data, [], mode).End.ShouldBe(-1);
            Scan(data, [1], mode).End.ShouldBe(-1);
        }
    }

    [Theory]
    [InlineData(".\r\n", "")]
    [InlineData("\r\n.\r\n", "\r\n")]
    [InlineData("a\r\n.\r\n", "a\r\n")]
    [InlineData("..\r\n.\r\n", ".\r\n")]
    [InlineData(".a\r\nb.\r\n...c\r\n.\r\n", "a\r\nb.\r\n..c\r\n")]
    [InlineData("a\r\r\n.\r\n", "a\r\r\n")]
    [InlineData("a\nb\r\n.\r\n", "a\r\nb\r\n")]
    [InlineData("\n\r\n.\r\n", "\r\n\r\n")]
    [InlineData(".\n\r\n.\r\n", "\r\n\r\n")]
    [InlineData("a\n.\nb\r\n.\r\n", "a\r\n.\r\nb\r\n")]
    [InlineData(".\rb\r\n.\r\n", "\rb\r\n")]
    [InlineData("a\0b\r\n.\r\n", "a\0b\r\n")]
    public void Transparency_dots_go_and_bare_line_feeds_become_line_ends(string sent, string stored)
    {
        var (content, end, _) = Scan(Latin1(sent + "NEXT"), [], BareLineEnds.Normalize);
        Encoding.Latin1.GetString(content).ShouldBe(stored);
        end.ShouldBe(sent.Length);
    }

    [Theory]
    [InlineData("a\r\n.b\r\n", false)]
    [InlineData("a\nb\r\n", true)]
    [InlineData("a\rb\r\n", true)]
    [InlineData("a\r\r\n", true)]
    [InlineData("\r\n.\rx\r\n", true)]
    [InlineData("\r\n.\nx\r\n", true)]
    public void Bare_line_ends_are_noticed(string sent, bool bare) =>
        Scan(Latin1(sent + ".\r\n"), [], BareLineEnds.Refuse).Bare.ShouldBe(bare);

    // Every message of up to eight bytes that matter, against the rule written down the plain way.
    [Fact]
    public void All_short_inputs_end_where_CRLF_dot_CRLF_is_and_nowhere_else()
    {
        byte[] alphabet = [(byte)'\r', (byte)'\n', (byte)'.', (byte)'x'];
        var input = new byte[8];
        for (var i = 0; i < 1 << 16; i++)
        {
            for (var at = 0; at < 8; at++)
                input[at] = alphabet[i >> (2 * at) & 3];
            var (content, end, _) = Scan(input, [], BareLineEnds.Refuse);
            var (expected, expectedEnd) = Reference(input);
            end.ShouldBe(expectedEnd);
            if (!content.AsSpan().SequenceEqual(expected))
                throw new InvalidOperationException(Convert.ToHexString(input));
        }
    }

    [Fact]
    public void Pieces_make_no_difference()
    {
        var bytes = Gen.Elements((byte)'.', (byte)'\r', (byte)'\n', (byte)'a', (byte)0).ListOf().Select(list => list.ToArray());
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(2000), Prop.ForAll(
            Arb.From(bytes), Arb.From(Gen.Choose(1, 5).ListOf()), Arb.From(Gen.Elements(Enum.GetValues<BareLineEnds>())),
            (message, cuts, mode) =>
            {
                var whole = Scan(message, [], mode);
                var pieces = Scan(message, [.. cuts], mode);
                return whole.End == pieces.End && whole.Bare == pieces.Bare && whole.Content.AsSpan().SequenceEqual(pieces.Content);
            }));
    }

    [Fact]
    public void A_normalized_message_has_no_bare_line_feed()
    {
        var bytes = Gen.Elements((byte)'.', (byte)'\r', (byte)'\n', (byte)'a').ListOf().Select(list => list.ToArray());
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(2000), Prop.ForAll(Arb.From(bytes), message =>
        {
            var text = Encoding.Latin1.GetString(Scan(message, [], BareLineEnds.Normalize).Content);
            return !text.Replace("\r\n", "", StringComparison.Ordinal).Contains('\n', StringComparison.Ordinal);
        }));
    }

    private static (byte[] Content, int End) Reference(byte[] input)
    {
        var text = "\r\n" + Encoding.Latin1.GetString(input);
        var end = text.IndexOf("\r\n.\r\n", StringComparison.Ordinal);
        var content = end < 0 ? text : text[..(end + 2)];
        // What is withheld at the end of an unfinished message may still be its end.
        if (end < 0 && content.EndsWith("\r\n.\r", StringComparison.Ordinal))
            content = content[..^2];
        content = content.Replace("\r\n.", "\r\n", StringComparison.Ordinal);
        return (Latin1(content[2..]), end < 0 ? -1 : end + 3);
    }

    private static (byte[] Content, int End, bool Bare) Scan(byte[] input, int[] cuts, BareLineEnds mode)
    {
        var scanner = new DataScanner(mode);
        var content = new MemoryStream();
        var (at, piece) = (0, 0);
        while (at < input.Length)
        {
            var size = Math.Min(cuts.Length == 0 ? input.Length : cuts[piece++ % cuts.Length], input.Length - at);
            var span = input.AsSpan(at, size);
            while (!span.IsEmpty)
            {
                var step = scanner.Next(span);
                if (step.Insert is { } insert)
                    content.WriteByte(insert);
                content.Write(span.Slice(step.Skip, step.Copy));
                span = span[step.Consumed..];
                at += step.Consumed;
                if (step.Ended)
                    return (content.ToArray(), at, scanner.SawBareLineEnd);
            }
        }

        return (content.ToArray(), -1, scanner.SawBareLineEnd);
    }

    private static byte[] Latin1(string text) => Encoding.Latin1.GetBytes(text);
}
