using System.Text;
using EventMail.Domain.Messages;

namespace EventMail.Domain.Tests.Messages;

public class PartMapTests
{
    private static readonly byte[] Nested = Wire.Bytes("""
        Subject: outer
        MIME-Version: 1.0
        Content-Type: multipart/mixed; boundary=a

        preamble
        --a

        one
        --a
        Content-Type: message/rfc822
        Content-Description: inner

        Subject: inner
        Content-Type: multipart/alternative; boundary=b

        --b

        two.one
        --b
        Content-Type: text/html

        two.two
        --b--

        --a
        Content-Type: message/rfc822

        Subject: plain inner

        three.one
        --a--
        epilogue

        """);

    [Theory]
    [InlineData("HEADER", "Subject: outer\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n")]
    [InlineData("1", "one")]
    [InlineData("1.MIME", "\r\n")]
    [InlineData("1.HEADER", null)]
    [InlineData("1.TEXT", null)]
    [InlineData("1.1", "one")]
    [InlineData("2.MIME", "Content-Type: message/rfc822\r\nContent-Description: inner\r\n\r\n")]
    [InlineData("2.HEADER", "Subject: inner\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n")]
    [InlineData("2.TEXT", "--b\r\n\r\ntwo.one\r\n--b\r\nContent-Type: text/html\r\n\r\ntwo.two\r\n--b--\r\n")]
    [InlineData("2.1", "two.one")]
    [InlineData("2.2", "two.two")]
    [InlineData("2.2.MIME", "Content-Type: text/html\r\n\r\n")]
    [InlineData("2.3", null)]
    [InlineData("2.0", null)]
    [InlineData("3", "Subject: plain inner\r\n\r\nthree.one")]
    [InlineData("3.1", "three.one")]
    [InlineData("3.1.MIME", "Subject: plain inner\r\n\r\n")]
    [InlineData("3.1.1", null)]
    [InlineData("3.2", null)]
    [InlineData("4", null)]
    [InlineData("MIME", null)]
    public void Sections_are_addressed_as_RFC_3501_6_4_5_says(string section, string? expected) =>
        Wire.Section(Nested, section).ShouldBe(expected);

    [Fact]
    public void Part_1_of_a_message_without_parts_is_its_body()
    {
        var message = Wire.Bytes("Subject: x\n\nbody\n");

        Wire.Section(message, "1").ShouldBe("body\r\n");
        Wire.Section(message, "TEXT").ShouldBe("body\r\n");
        Wire.Section(message, "").ShouldBe("Subject: x\r\n\r\nbody\r\n");
        Wire.Section(message, "2").ShouldBeNull();
    }

    [Fact]
    public void A_map_keeps_type_encoding_and_charset_of_every_part()
    {
        var message = MessageReader.Read(Wire.Bytes("""
            Content-Type: Text/X-Odd; charset="KOI8-R"
            Content-Transfer-Encoding: Quoted-Printable

            x
            """));

        var root = PartMap.Read(PartMap.Write(message)).Root;

        (root.MediaType, root.Subtype, root.Charset).ShouldBe(("text", "x-odd", "koi8-r"));
        root.TransferEncoding.ShouldBe(TransferEncoding.QuotedPrintable);
    }

    [Fact]
    public void A_damaged_map_is_refused_and_never_believed()
    {
        var map = PartMap.Write(MessageReader.Read(Nested));

        for (var length = 0; length < map.Length; length++)
            PartMap.TryRead(map.AsSpan(0, length), out _).ShouldBeFalse();
        Should.Throw<FormatException>(() => PartMap.Read(Encoding.ASCII.GetBytes("rubbish")));
    }
}
