using System.Text;
using EventMail.Domain.Messages;

namespace EventMail.Domain.Tests.Messages;

public class DecodedTextTests
{
    private static readonly byte[] Mail = Wire.Bytes("""
        Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?= aus Wien
        MIME-Version: 1.0
        Content-Type: multipart/mixed; boundary=b

        preamble is no text
        --b
        Content-Type: text/plain; charset=iso-8859-1
        Content-Transfer-Encoding: quoted-printable

        K=E4se=
        kuchen
        --b
        Content-Type: text/html; charset=utf-8
        Content-Transfer-Encoding: base64

        PHA+QXBmZWw8Yj5zdHJ1ZGVsPC9iPiZhdW1sO2g8L3A+PHN0eWxlPm5vcGU8L3N0eWxlPkVuZGU=
        --b
        Content-Type: application/octet-stream
        Content-Disposition: attachment; filename*=utf-8''b%C3%A4r.bin

        binary is not searched
        --b
        Content-Type: message/delivery-status

        Action: failed
        --b
        Content-Type: message/rfc822

        Subject: =?utf-8?Q?=C3=BCber?=

        inner text
        --b--
        """);

    [Theory]
    [InlineData("grüße AUS", true)]
    [InlineData("käsekuchen", true)]
    [InlineData("Apfelstrudeläh", true)]
    [InlineData("apfel<B>strudel", true)]
    [InlineData("</b>&auml;", true)]
    [InlineData("style>nope<", true)]
    [InlineData("Ende<p>", false)]
    [InlineData("preamble", false)]
    [InlineData("binary", false)]
    [InlineData("bär.bin", true)]
    [InlineData("über", true)]
    [InlineData("inner text", true)]
    [InlineData("action: failed", true)]
    [InlineData("kuchen\nApfel", false)]
    public void TEXT_finds_what_people_read(string text, bool expected) => // RFC 3501 §6.4.4
        DecodedText.Contains(Map(), Mail, text, inHeader: true).ShouldBe(expected);

    [Theory]
    [InlineData("hello there", true)]
    [InlineData("https://example.test/?a=1&b", true)]
    [InlineData("HREF=", true)]
    [InlineData("hel<b>lo</b>", true)]
    [InlineData("there<a", false)]
    public void HTML_is_searched_as_it_is_read_and_as_it_is_written(string text, bool expected)
    {
        var mail = Wire.Bytes("""
            Content-Type: text/html; charset=utf-8
            Content-Transfer-Encoding: quoted-printable

            <a href=3D"https://example.test/?a=3D1&=
            b">hel<b>lo</b> there</a>
            """);
        DecodedText.Contains(PartMap.Of(MessageReader.Read(mail)), mail, text, inHeader: false).ShouldBe(expected);
    }

    [Theory]
    [InlineData("aus wien", false)]
    [InlineData("käse", true)]
    [InlineData("über", true)]
    public void BODY_leaves_the_header_out(string text, bool expected) =>
        DecodedText.Contains(Map(), Mail, text, inHeader: false).ShouldBe(expected);

    [Theory]
    [InlineData("<p>a</p><p>b</p>", "\na\n\nb\n")]
    [InlineData("bo<b>ld</b>", "bold")]
    [InlineData("a &lt; b &amp;&nbsp;&#228; &unknown; &x", "a < b &\u00a0ä &unknown; &x")]
    [InlineData("<!-- x > -- y --->z", "z")]
    [InlineData("<script>if (a < b) x()</script>y", "y")]
    [InlineData("<STYLE type='x'>p { }</STYLE >y", "y")]
    [InlineData("<a href='>'>x</a>", "x")]
    [InlineData("a < b", "a < b")]
    [InlineData("<unclosed", "")]
    public void HTML_is_reduced_to_its_text(string html, string expected)
    {
        for (var piece = 1; piece <= html.Length; piece++)
        {
            var node = MapOf("Content-Type: text/html; charset=utf-8\n\n" + html).Root;
            var decoder = new TextPartDecoder(node);
            var text = new StringBuilder();
            var bytes = Encoding.UTF8.GetBytes(html);
            for (var at = 0; at < bytes.Length; at += piece)
                decoder.Feed(bytes.AsSpan(at, Math.Min(piece, bytes.Length - at)), Add);
            decoder.Finish(Add);
            text.ToString().ShouldBe(expected, $"in pieces of {piece}");

            bool Add(ReadOnlySpan<char> t, DecodedTextKind kind)
            {
                text.Append(t);
                return true;
            }
        }
    }

    [Fact]
    public void Characters_split_between_pieces_are_decoded()
    {
        var node = MapOf("Content-Type: text/plain; charset=utf-8\n\nä").Root;
        var decoder = new TextPartDecoder(node);
        var text = "";
        DecodedTextSink sink = (t, _) =>
        {
            text += t.ToString();
            return true;
        };

        decoder.Feed([0xc3], sink);
        decoder.Feed([0xa4], sink);
        decoder.Finish(sink);

        text.ShouldBe("ä");
    }

    [Theory]
    [InlineData("utf-16", new byte[] { 0xfe, 0xff, 0, (byte)'h', 0, 0xe4 })]
    [InlineData("utf-16", new byte[] { 0xff, 0xfe, (byte)'h', 0, 0xe4, 0 })]
    [InlineData("UTF-16", new byte[] { 0, (byte)'h', 0, 0xe4 })]
    [InlineData("utf-16le", new byte[] { (byte)'h', 0, 0xe4, 0 })]
    [InlineData("utf-16be", new byte[] { 0, (byte)'h', 0, 0xe4 })]
    public void A_mark_tells_the_order_of_octets_in_UTF_16(string charset, byte[] octets) // RFC 2781 §4.3
    {
        for (var piece = 1; piece <= octets.Length; piece++)
        {
            var text = "";
            var decoder = new TextPartDecoder(MapOf($"Content-Type: text/plain; charset={charset}\n\nx").Root);
            foreach (var some in octets.Chunk(piece))
                decoder.Feed(some, Add);
            decoder.Finish(Add);
            text.ShouldBe("hä", $"in pieces of {piece}");

            bool Add(ReadOnlySpan<char> t, DecodedTextKind kind)
            {
                text += t.ToString();
                return true;
            }
        }
    }

    [Fact]
    public void Long_text_is_found_over_the_seams_of_its_pieces()
    {
        var body = new string('x', DecodedText.PieceLength - 3) + "needle" + new string('y', DecodedText.PieceLength);
        var mail = Wire.Bytes("Subject: s\n\n" + body);

        DecodedText.Contains(PartMap.Of(MessageReader.Read(mail)), mail, "NEEDLE", inHeader: false).ShouldBeTrue();
        DecodedText.Contains(PartMap.Of(MessageReader.Read(mail)), mail, "needlex", inHeader: false).ShouldBeFalse();
    }

    [Theory]
    [InlineData("abcabcabd", "abcabd")]
    [InlineData("aab", "ab")]
    [InlineData("xyz", "xyz")]
    public void A_matcher_finds_text_however_it_is_split(string text, string needle)
    {
        for (var piece = 1; piece <= text.Length; piece++)
        {
            var matcher = new TextMatcher(needle);
            for (var at = 0; at < text.Length; at += piece)
                matcher.Feed(text.AsSpan(at, Math.Min(piece, text.Length - at)));
            matcher.Matched.ShouldBeTrue($"in pieces of {piece}");
        }
    }

    [Fact]
    public void A_sink_that_has_enough_is_not_called_again()
    {
        var calls = 0;

        DecodedText.ForEach(Map(), Mail, (_, _) => ++calls < 3).ShouldBeFalse();

        calls.ShouldBe(3);
    }

    private static PartMap Map() => PartMap.Of(MessageReader.Read(Mail));

    private static PartMap MapOf(string mail) => PartMap.Of(MessageReader.Read(Wire.Utf8(mail)));
}
