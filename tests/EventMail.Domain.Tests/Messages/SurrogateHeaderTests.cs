using System.Buffers;
using System.Text;
using EventMail.Domain.Messages;
using FsCheck;
using FsCheck.Fluent;

namespace EventMail.Domain.Tests.Messages;

public class SurrogateHeaderTests
{
    [Theory]
    [InlineData("Subject: plain\r\n\r\n")]
    [InlineData("Subject: =?UTF-8?B?w7w=?=\r\n\r\n")]
    [InlineData("\u00ef\u00bb\u00bfFrom: a@example.org\r\nSubject: a byte order mark is no field's body\r\n\r\n")]
    [InlineData("Subject: Latin-1: \u00fc\r\n\r\n")]
    [InlineData("no field, with \u00c3\u00bc\r\n\r\n")]
    [InlineData("Subject: x\r\n\r\nonly the body has \u00c3\u00bc\r\n")]
    [InlineData("")]
    public void A_header_without_internationalized_fields_stays_as_it_is(string header)
    {
        var octets = Encoding.Latin1.GetBytes(header);
        SurrogateHeader.IsNeeded(octets).ShouldBeFalse();
        Encoding.Latin1.GetString(Write(octets)).ShouldBe(header);
    }

    [Theory]
    // RFC 6858 §2.3
    [InlineData("Subject: Grüße\r\n", "Subject: =?UTF-8?B?R3LDvMOfZQ==?=\r\n")]
    // RFC 6858 §2.1: the name alone is encoded where the address is ASCII …
    [InlineData("To: Zoë <zoe@example.org>, b@example.org\r\n", "To: =?UTF-8?B?Wm/Dqw==?= <zoe@example.org>, <b@example.org>\r\n")]
    // … and the address becomes a name where it is not.
    [InlineData("From: josé@exämple.com\r\n", "From: =?UTF-8?B?am9zw6lAZXjDpG1wbGUuY29t?=\r\n <invalid@internationalized-address.invalid>\r\n")]
    [InlineData(
        "From: José <josé@example.com>\r\n",
        "From: =?UTF-8?B?Sm9zw6kgPGpvc8OpQGV4YW1wbGUuY29tPg==?=\r\n <invalid@internationalized-address.invalid>\r\n")]
    [InlineData("Cc: Büro: a@example.org, b@example.org;\r\n", "Cc: =?UTF-8?B?QsO8cm8=?=: <a@example.org>, <b@example.org>;\r\n")]
    // RFC 6858 §2.2
    [InlineData(
        "Content-Disposition: attachment; filename=\"ü.txt\"; size=3\r\n",
        "Content-Disposition: attachment; filename*=UTF-8''%C3%BC.txt; size=\"3\"\r\n")]
    // RFC 6858 §2.4
    [InlineData("Received: by ü\r\nMessage-ID: <ü@example.org>\r\nDate: now\r\n", "Date: now\r\n")]
    public void Internationalized_fields_are_rewritten_in_ASCII(string header, string surrogate)
    {
        SurrogateHeader.IsNeeded(Encoding.UTF8.GetBytes(header)).ShouldBeTrue();
        Encoding.UTF8.GetString(Write(Encoding.UTF8.GetBytes(header + "\r\n"))).ShouldBe(surrogate + "\r\n");
    }

    [Fact]
    public void Long_text_is_folded_into_words_that_decode_to_what_was_written()
    {
        var text = string.Concat(Enumerable.Repeat("日本語 🎉 ", 50)).TrimEnd();
        var written = Encoding.ASCII.GetString(Write(Encoding.UTF8.GetBytes($"Subject: {text}\r\n\r\n")));
        written.Split("\r\n").ShouldAllBe(line => line.Length <= 78);
        EncodedWords.Decode(Encoding.ASCII.GetBytes(written["Subject: ".Length..].TrimEnd())).ShouldBe(text);
    }

    [Fact]
    public void A_long_file_name_survives()
    {
        var name = new string('ü', 60) + ".txt";
        var written = Write(Encoding.UTF8.GetBytes($"Content-Type: text/plain\r\nContent-Disposition: attachment; filename=\"{name}\"\r\n\r\nx"));
        MessageReader.Read(written).Root.FileName.ShouldBe(name);
    }

    [Fact]
    public void Whatever_comes_the_surrogate_is_a_header_that_needs_none()
    {
        var pieces = Gen.Elements(
            "From", "To", "Subject", "Content-Type", "X", ":", " ", "\r\n", "\r\n ", "\n", "\"", "<", ">", "@", "ü", "a", ",", ";", "(", ")", "\\",
            "=?UTF-8?B?", "?=", "日", ".", "=", "filename", "*0*", "%", "\u0000", "\u0080");
        Prop.ForAll(pieces.ListOf().ToArbitrary(), list =>
        {
            var header = Encoding.UTF8.GetBytes("From: ü" + string.Concat(list));
            var surrogate = Write(header);
            SurrogateHeader.IsNeeded(surrogate).ShouldBeFalse(Encoding.UTF8.GetString(surrogate));
        }).QuickCheckThrowOnFailure();
    }

    private static byte[] Write(byte[] header)
    {
        var output = new ArrayBufferWriter<byte>();
        SurrogateHeader.Write(header, output);
        return output.WrittenSpan.ToArray();
    }
}
