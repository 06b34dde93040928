using System.Buffers;
using System.Text;
using EventMail.Domain.Messages;

namespace EventMail.Domain.Tests.Messages;

public class HeaderFieldsTests
{
    private const string Header = "From: a\r\nSubject: one\r\n\ttwo\r\nTo : b\r\nX\r\nsubject: three\r\n\r\n";

    [Theory]
    [InlineData(false, "SUBJECT", "Subject: one\r\n\ttwo\r\nsubject: three\r\n\r\n")]
    [InlineData(true, "SUBJECT", "From: a\r\nTo : b\r\nX\r\n\r\n")]
    [InlineData(false, "to,from", "From: a\r\nTo : b\r\n\r\n")]
    [InlineData(false, "none", "\r\n")]
    [InlineData(true, "none", Header)]
    public void Fields_are_chosen_by_name_and_kept_as_they_are(bool not, string names, string expected) => // RFC 3501 §6.4.5
        Select(Header, names, not).ShouldBe(expected);

    [Fact]
    public void A_header_without_blank_line_gets_none() =>
        Select("From: a\r\nTo: b", "to", not: false).ShouldBe("To: b");

    [Fact]
    public void What_follows_the_blank_line_is_not_looked_at() =>
        Select("From: a\n\nTo: body", "to", not: false).ShouldBe("\nTo: body");

    private static string Select(string header, string names, bool not)
    {
        var output = new ArrayBufferWriter<byte>();
        var list = names.Split(',').Select(n => (ReadOnlyMemory<byte>)Encoding.ASCII.GetBytes(n)).ToArray();
        HeaderFields.Select(Encoding.Latin1.GetBytes(header), list, not, output);
        return Encoding.Latin1.GetString(output.WrittenSpan);
    }
}
