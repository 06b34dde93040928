using System.Text;
using EventMail.Protocols.Imap.Grammar;

namespace EventMail.Protocols.Tests.Imap.Grammar;

public class CommandParserTests
{
    private static CommandParser Over(string text) => new(Encoding.UTF8.GetBytes(text));

    [Theory]
    [InlineData("INBOX", "INBOX")]
    [InlineData("a]b", "a]b")]
    [InlineData("\"a b\"", "a b")]
    [InlineData("\"\"", "")]
    [InlineData("\"a\\\"b\\\\c\"", "a\"b\\c")]
    [InlineData("{3}\r\na\r\n", "a\r\n")]
    [InlineData("{3+}\r\nabc", "abc")]
    [InlineData("{0}\r\n", "")]
    [InlineData("\"{3}\"", "{3}")]
    public void An_astring_is_an_atom_a_quoted_string_or_a_literal(string text, string value)
    {
        var parser = Over(text);
        parser.ExpectAString(out var result).ShouldBeTrue();
        Encoding.UTF8.GetString(result).ShouldBe(value);
        parser.AtEnd.ShouldBeTrue();
    }

    [Theory]
    [InlineData("")]
    [InlineData("\"abc")]
    [InlineData("\"abc\\\"")]
    [InlineData("\"a\r\nb\"")]
    [InlineData("{5}\r\nabc")]
    [InlineData("{5}")]
    [InlineData("{}\r\n")]
    [InlineData("{-1}\r\n")]
    [InlineData("{99999999999999999999}\r\n")]
    [InlineData("(")]
    public void What_is_no_astring_is_refused_with_a_reason(string text)
    {
        var parser = Over(text);
        parser.ExpectAString(out _).ShouldBeFalse();
        parser.Error.ShouldNotBeNullOrEmpty();
    }

    [Fact]
    public void A_quoted_string_may_be_UTF_8_and_nothing_else_above_127()
    {
        var parser = Over("\"Grüße\"");
        parser.ExpectAString(out var value).ShouldBeTrue();
        Encoding.UTF8.GetString(value).ShouldBe("Grüße");
        var latin = new CommandParser([(byte)'"', 0xFC, (byte)'"']);
        latin.ExpectAString(out _).ShouldBeFalse();
        var atom = Over("Grüße");
        atom.ExpectAString(out _).ShouldBeTrue();
        atom.AtEnd.ShouldBeFalse();
    }

    [Theory]
    [InlineData("1", "1")]
    [InlineData("1:5,9", "1-5,9-9")]
    [InlineData("5:1", "5-1")]
    [InlineData("*", "0-0")]
    [InlineData("7:*", "7-0")]
    [InlineData("*:7,4294967295", "0-7,4294967295-4294967295")]
    public void A_sequence_set_is_numbers_ranges_and_stars(string text, string ranges)
    {
        var parser = Over(text);
        parser.ExpectSequenceSet(out var set).ShouldBeTrue();
        parser.AtEnd.ShouldBeTrue();
        string.Join(',', set.Ranges.Select(range => $"{range.From}-{range.To}")).ShouldBe(ranges.Contains('-') ? ranges : $"{ranges}-{ranges}");
    }

    [Theory]
    [InlineData("0")]
    [InlineData("01")]
    [InlineData("4294967296")]
    [InlineData("1:")]
    [InlineData("1,")]
    [InlineData(",1")]
    [InlineData("-1")]
    [InlineData("a")]
    [InlineData("1:0")]
    public void What_is_no_sequence_set_is_refused(string text)
    {
        var parser = Over(text);
        parser.ExpectSequenceSet(out _).ShouldBeFalse();
    }

    [Theory]
    [InlineData("(\\Seen $Forwarded)", "\\Seen|$Forwarded")]
    [InlineData("()", "")]
    [InlineData("(\\SEEN \\seen work WORK)", "\\Seen|work")]
    public void A_flag_list_names_each_flag_once(string text, string flags)
    {
        var parser = Over(text);
        parser.ExpectFlagList(out var result).ShouldBeTrue();
        string.Join('|', result).ShouldBe(flags);
    }

    [Theory]
    [InlineData("(\\Recent)")]
    [InlineData("(\\Unknown)")]
    [InlineData("(a")]
    [InlineData("( a)")]
    [InlineData("(a  b)")]
    [InlineData("(\"a\")")]
    [InlineData("(a]b)")]
    public void Recent_and_unknown_system_flags_and_bad_keywords_are_refused(string text)
    {
        var parser = Over(text);
        parser.ExpectFlagList(out _).ShouldBeFalse();
    }

    [Theory]
    [InlineData("\"17-Jul-1996 02:44:25 -0700\"", "1996-07-17T02:44:25.0000000-07:00")]
    [InlineData("\" 1-feb-2024 00:00:00 +0000\"", "2024-02-01T00:00:00.0000000+00:00")]
    [InlineData("\"31-Dec-2016 23:59:60 +0000\"", "2016-12-31T23:59:59.0000000+00:00")]
    public void A_date_time_is_read_to_the_second_and_zone(string text, string time)
    {
        var parser = Over(text);
        parser.ExpectDateTime(out var result).ShouldBeTrue();
        result.ToString("o").ShouldBe(time);
    }

    [Theory]
    [InlineData("\"30-Feb-2024 00:00:00 +0000\"")]
    [InlineData("\"01-Foo-2024 00:00:00 +0000\"")]
    [InlineData("\"01-Jan-2024 24:00:00 +0000\"")]
    [InlineData("\"01-Jan-2024 00:00:00 +1500\"")]
    [InlineData("\"01-Jan-2024 00:00:00\"")]
    [InlineData("\"01-Jan-0001 00:00:00 +1400\"")]
    [InlineData("\"31-Dec-9999 23:00:00 -1400\"")]
    [InlineData("\"01-Jan-2024 00:00:00 +0000")]
    public void An_impossible_date_time_is_refused(string text)
    {
        var parser = Over(text);
        parser.ExpectDateTime(out _).ShouldBeFalse();
    }

    [Theory]
    [InlineData("a {5}", 5L, true)]
    [InlineData("a {5+}", 5L, false)]
    [InlineData("{0}", 0L, true)]
    [InlineData("{9223372036854775807}", long.MaxValue, true)]
    public void A_line_that_ends_in_a_literal_says_its_size(string line, long size, bool synchronizing)
    {
        LiteralMarker.TryFindAtEnd(Encoding.ASCII.GetBytes(line), out var marker).ShouldBeTrue();
        marker.Size.ShouldBe(size);
        marker.Synchronizing.ShouldBe(synchronizing);
    }

    [Theory]
    [InlineData("a {5")]
    [InlineData("a {}")]
    [InlineData("a {+}")]
    [InlineData("a {5-}")]
    [InlineData("a {x}")]
    [InlineData("a 5}")]
    [InlineData("{9223372036854775808}")]
    [InlineData("")]
    public void Other_lines_end_in_no_literal(string line) =>
        LiteralMarker.TryFindAtEnd(Encoding.ASCII.GetBytes(line), out _).ShouldBeFalse();
}
