using System.Buffers;
using System.Text;
using EventMail.Domain.Messages;

namespace EventMail.Domain.Tests.Messages;

public class TextTests
{
    [Theory]
    [InlineData("=?ISO-8859-1?Q?a?=", "a")] // RFC 2047 §8
    [InlineData("=?ISO-8859-1?Q?a?= b", "a b")]
    [InlineData("=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=", "ab")]
    [InlineData("=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=", "ab")]
    [InlineData("=?ISO-8859-1?Q?a?=\r\n  =?ISO-8859-1?Q?b?=", "ab")]
    [InlineData("=?ISO-8859-1?Q?a_b?=", "a b")]
    [InlineData("=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=", "a b")]
    [InlineData("=?US-ASCII*EN?Q?Keith_Moore?=", "Keith Moore")] // RFC 2231 §5
    [InlineData("=?utf-8?b?w7w=?=", "ü")]
    [InlineData("=?utf-8?Q?=C3?= =?utf-8?Q?=BC?=", "ü")] // a character split over two words
    [InlineData("=?iso-2022-jp?B?GyRCRnxLXDhsGyhC?=", "日本語")]
    [InlineData("=?ks_c_5601-1987?B?x9G5zg==?=", "한민")]
    [InlineData("=?windows-1252?Q?=80?=", "€")]
    [InlineData("=?cp-850?Q?=81?=", "ü")]
    [InlineData("a =?x?= b", "a =?x?= b")]
    [InlineData("=?utf-8?X?abc?=", "=?utf-8?X?abc?=")]
    [InlineData("=?utf-8?Q?never ends", "=?utf-8?Q?never ends")]
    [InlineData("=?utf-7?Q?+AGE-?=", "+AGE-")] // refused: shown as it is
    [InlineData("=?x-unknown?Q?=FC?=", "ü")]
    public void Encoded_words_are_decoded(string text, string expected) =>
        EncodedWords.Decode(Encoding.Latin1.GetBytes(text)).ShouldBe(expected);

    [Fact]
    public void Text_without_a_label_is_UTF_8_or_Latin_1()
    {
        EncodedWords.Decode("Grüße"u8).ShouldBe("Grüße"); // RFC 6532 §3.2
        EncodedWords.Decode([(byte)'G', 0xfc]).ShouldBe("Gü");
        Charsets.Decode("us-ascii"u8, [0xe4]).ShouldBe("ä");
    }

    [Theory]
    [InlineData("ks_c_5601-1987", 949)]
    [InlineData("cp-850", 850)]
    [InlineData("CP437", 437)]
    [InlineData("x-sjis", 932)]
    [InlineData("windows1251", 1251)]
    [InlineData("gb2312", 54936)]
    [InlineData("ISO-8859-1", 1252)]
    [InlineData("iso-8859-8-i", 28598)]
    [InlineData("utf8", 65001)]
    [InlineData("koi8-r", 20866)]
    public void Charsets_are_found_by_the_names_that_mail_gives_them(string name, int codePage) =>
        Charsets.Find(name)!.CodePage.ShouldBe(codePage);

    [Theory]
    [InlineData("utf-7")]
    [InlineData("unicode-1-1-utf-7")]
    [InlineData("65000")]
    [InlineData("no-such-charset")]
    [InlineData("")]
    public void Unknown_charsets_and_UTF_7_are_refused(string name) => Charsets.Find(name).ShouldBeNull();

    [Theory]
    [InlineData("aGVsbG8=", "hello")]
    [InlineData("aGVs\r\nbG8=", "hello")]
    [InlineData("aGVs*!bG8", "hello")] // RFC 2045 §6.8: other characters are ignored
    [InlineData("aGVsbG8=aGVsbG8=", "hellohello")]
    [InlineData("=", "")]
    public void Base64_is_decoded(string text, string expected) => DecodeEveryWay(TransferEncoding.Base64, text, expected);

    [Theory]
    [InlineData("a=3Db", "a=b")]
    [InlineData("a=\r\nb", "ab")] // RFC 2045 §6.7 (5)
    [InlineData("a= \t\r\nb", "ab")]
    [InlineData("a=\nb", "ab")]
    [InlineData("a  \t\r\nb", "a\r\nb")] // RFC 2045 §6.7 (3)
    [InlineData("a \t b \n", "a \t b\n")]
    [InlineData("a=fc", "a\xfc")]
    [InlineData("a=G1=1", "a=G1=1")]
    [InlineData("==41=", "=A")]
    [InlineData("a \rb", "a \rb")]
    [InlineData("end  ", "end")]
    public void Quoted_printable_is_decoded(string text, string expected) =>
        DecodeEveryWay(TransferEncoding.QuotedPrintable, text, expected);

    [Theory]
    [InlineData(TransferEncoding.SevenBit)]
    [InlineData(TransferEncoding.EightBit)]
    [InlineData(TransferEncoding.Binary)]
    [InlineData(TransferEncoding.Unknown)]
    public void Identity_and_unknown_encodings_leave_the_bytes_alone(TransferEncoding encoding) =>
        DecodeEveryWay(encoding, "a=3D\0\xff \r\n", "a=3D\0\xff \r\n");

    [Theory]
    [InlineData("Fri, 20 Nov 2026 10:11:12 +0100", "2026-11-20T10:11:12+01:00")]
    [InlineData("20 Nov 2026 10:11 -0330", "2026-11-20T10:11:00-03:30")]
    [InlineData("Thu,\r\n 13\r\n  Feb\r\n    1969\r\n 23:32\r\n -0330 (Newfoundland Time)", "1969-02-13T23:32:00-03:30")] // RFC 5322 A.5
    [InlineData("21 Nov 97 09:55:06 GMT", "1997-11-21T09:55:06+00:00")] // RFC 5322 A.6.2
    [InlineData("1 Jan 49 0:0:0 EST", "2049-01-01T00:00:00-05:00")] // RFC 5322 §4.3
    [InlineData("1 Jan 50 0:0:0 PDT", "1950-01-01T00:00:00-07:00")]
    [InlineData("1 Jan 102 0:0:0 Z", "2002-01-01T00:00:00+00:00")]
    [InlineData("Mon, 1 Jan 2024 23:59:60 +0000", "2024-01-01T23:59:59+00:00")]
    [InlineData("Sat Jan  2 17:42:00 2016", "2016-01-02T17:42:00+00:00")]
    [InlineData("Sat, 02-Jan-2016 17.42.00 +01:00", "2016-01-02T17:42:00+01:00")]
    [InlineData("Sat, 2 Jan 2016", "2016-01-02T00:00:00+00:00")]
    [InlineData("Sat, 2 Jan 2016 00:00:00 +9959", "2015-12-28T20:01:00+00:00")]
    [InlineData("1 Jan 2024 25:00:00 +0100", "2024-01-01T00:00:00+01:00")] // RFC 5256 §2.2
    [InlineData("1 Jan 2024 10:60", "2024-01-01T00:00:00+00:00")]
    [InlineData("1 Jan 2024 noon +0100", "2024-01-01T00:00:00+00:00")]
    [InlineData("1 Jan 2024 10:00:00 Mars", "2024-01-01T10:00:00+00:00")]
    public void Dates_are_read_with_the_obsolete_forms(string text, string expected)
    {
        MessageDate.TryParse(Encoding.ASCII.GetBytes(text), out var date).ShouldBeTrue();
        date.ToString("yyyy-MM-ddTHH:mm:sszzz").ShouldBe(expected);
    }

    [Theory]
    [InlineData("")]
    [InlineData("rubbish")]
    [InlineData("31 Feb 2024 00:00:00 +0000")]
    [InlineData("0 Jan 2024 00:00:00 +0000")]
    [InlineData("1 Foo 2024 00:00:00 +0000")]
    [InlineData("1 Jan 999999999999 00:00 +0000")]
    public void What_is_no_date_is_refused(string text) =>
        MessageDate.TryParse(Encoding.ASCII.GetBytes(text), out _).ShouldBeFalse();

    private static void DecodeEveryWay(TransferEncoding encoding, string text, string expected)
    {
        var bytes = Encoding.Latin1.GetBytes(text);
        for (var piece = 1; piece <= bytes.Length; piece++)
        {
            var decoder = new TransferDecoder(encoding);
            var output = new ArrayBufferWriter<byte>();
            for (var at = 0; at < bytes.Length; at += piece)
                decoder.Decode(bytes.AsSpan(at, Math.Min(piece, bytes.Length - at)), output);
            decoder.Finish(output);
            Encoding.Latin1.GetString(output.WrittenSpan).ShouldBe(expected, $"in pieces of {piece}");
        }
    }

    [Fact]
    public void Charsets_are_found_by_every_name_that_the_runtime_has()
    {
        Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);
        string[] aliases =
        [
            "csisolatin1", "iso_8859-1:1987", "ibm819", "l1", "ucs-2", "unicodefffe", "utf-32be", "x-unicode-2-0-utf-8", "latin2", "cskoi8r",
            "csisolatin9", "ms_kanji", "iso_8859-5", "hebrew", "cyrillic", "arabic", "greek", "ecma-118", "l5", "x-cp1250", "logical",
        ];
        foreach (var name in CodePagesEncodingProvider.Instance.GetEncodings().Select(info => info.Name).Concat(aliases))
        {
            // Ours are what senders mean by a name.
            if (Charsets.Find(name) is not { } found)
                throw new InvalidOperationException(name);
            if (found.CodePage != Encoding.GetEncoding(name).CodePage)
                name.ShouldBeOneOf("gb2312", "iso-8859-1", "iso-8859-11", "us-ascii", "big5-hkscs", "x-mac-roman");
        }

        foreach (var page in (int[])[1200, 1201, 12000, 12001, 28591, 65001, 1252, 932, 866, 10000, 20866, 51949])
            Charsets.Find($"cp{page}")!.CodePage.ShouldBe(page is 932 or 949 ? 932 : page);
        Charsets.Find("65000").ShouldBeNull();
        Charsets.Find("-1").ShouldBeNull();
        Charsets.Find("99999").ShouldBeNull();
    }

    [Fact]
    public void An_unknown_charset_costs_no_exception()
    {
        var header = string.Concat(Enumerable.Range(0, 1000).Select(i => $"=?x-{i}?q?a?= =?cp{i + 70000}?q?b?= =?0?q?c?= "));
        var (exceptions, thread) = (0, Environment.CurrentManagedThreadId);
        void Count(object? sender, System.Runtime.ExceptionServices.FirstChanceExceptionEventArgs e) =>
            exceptions += Environment.CurrentManagedThreadId == thread ? 1 : 0;
        AppDomain.CurrentDomain.FirstChanceException += Count;
        try
        {
            EncodedWords.Decode(Encoding.ASCII.GetBytes(header)).ShouldStartWith("abcabc");
        }
        finally
        {
            AppDomain.CurrentDomain.FirstChanceException -= Count;
        }

        exceptions.ShouldBe(0);
    }
}
