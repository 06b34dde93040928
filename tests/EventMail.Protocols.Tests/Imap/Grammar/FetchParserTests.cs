using System.Text;
using EventMail.Protocols.Imap.Fetching;
using EventMail.Protocols.Imap.Grammar;

namespace EventMail.Protocols.Tests.Imap.Grammar;

public class FetchParserTests
{
    private static List<FetchItem>? Parse(string text, out string? error, int limit = 100)
    {
        var parser = new CommandParser(Encoding.ASCII.GetBytes(text));
        var parsed = parser.ExpectFetchItems(limit, byUid: false, out var items) && parser.ExpectEnd();
        error = parser.Error;
        return parsed ? items : null;
    }

    [Theory]
    [InlineData("FAST", "FLAGS INTERNALDATE RFC822.SIZE")]
    [InlineData("all", "FLAGS INTERNALDATE RFC822.SIZE ENVELOPE")]
    [InlineData("FULL", "FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY")]
    [InlineData("FLAGS", "FLAGS")]
    [InlineData("(UID flags BODY)", "UID FLAGS BODY")]
    [InlineData("(UID UID)", "UID")]
    [InlineData("BODY[]", "BODY[]")]
    [InlineData("BODY.PEEK[1.2.MIME]", "BODY[1.2.MIME]")]
    [InlineData("BODY[HEADER.FIELDS (From Subject)]", "BODY[HEADER.FIELDS (From Subject)]")]
    [InlineData("BODY[1.HEADER.FIELDS.NOT (\"To\")]<0.10>", "BODY[1.HEADER.FIELDS.NOT (\"To\")]<0>")]
    [InlineData("BODY[TEXT]<5.100>", "BODY[TEXT]<5>")]
    [InlineData("(RFC822 RFC822.HEADER RFC822.TEXT RFC822.SIZE)", "RFC822 RFC822.HEADER RFC822.TEXT RFC822.SIZE")]
    [InlineData("(BODY[1] BODY.PEEK[1]<0.1> BODYSTRUCTURE)", "BODY[1] BODY[1]<0> BODYSTRUCTURE")]
    public void Items_are_answered_under_the_names_that_RFC_3501_gives(string text, string labels) =>
        string.Join(' ', Parse(text, out _).ShouldNotBeNull().Select(item => Encoding.ASCII.GetString(item.Label))).ShouldBe(labels);

    [Theory]
    [InlineData("BODY[HEADER.FIELDS ({4+}\r\nDate To)]", "BODY[HEADER.FIELDS (Date To)]")]
    [InlineData("BODY.PEEK[1.2.HEADER.FIELDS.NOT ({3}\r\na(b)]<1.2>", "BODY[1.2.HEADER.FIELDS.NOT (\"a(b\")]<1>")]
    [InlineData("BODY[HEADER.FIELDS ({4+}\r\na\"\\b)]", "BODY[HEADER.FIELDS (\"a\\\"\\\\b\")]")]
    public void A_literal_in_a_section_is_not_repeated(string text, string label) =>
        Encoding.ASCII.GetString(Parse(text, out _).ShouldNotBeNull().Single().Label).ShouldBe(label);

    [Theory]
    [InlineData("(BODY.PEEK[] BODY[])")]
    [InlineData("(BODY[] BODY.PEEK[])")]
    [InlineData("(BODY.PEEK[1]<0.5> BODY[1]<0.5> BODY.PEEK[1]<0.5>)")]
    public void A_section_that_is_asked_for_with_and_without_PEEK_is_answered_once_and_sets_Seen(string text) =>
        Parse(text, out _).ShouldNotBeNull().Single().SetsSeen.ShouldBeTrue();

    [Theory]
    [InlineData("")]
    [InlineData("()")]
    [InlineData("(FLAGS")]
    [InlineData("(ALL)")]
    [InlineData("FLAGS UID")]
    [InlineData("NOSUCH")]
    [InlineData("BODY[MIME]")]
    [InlineData("BODY[0]")]
    [InlineData("BODY[1.]")]
    [InlineData("BODY[1.0]")]
    [InlineData("BODY[HEADER.FIELDS]")]
    [InlineData("BODY[HEADER.FIELDS ()]")]
    [InlineData("BODY[HEADER.FIELDS (a:b)]")]
    [InlineData("BODY[HEADER.FIELDS (\"a b\")]")]
    [InlineData("BODY[TEXT")]
    [InlineData("BODY[]<0>")]
    [InlineData("BODY[]<0.0>")]
    [InlineData("BODY[]<99999999999999999999.1>")]
    [InlineData("BODY.PEEK")]
    [InlineData("RFC822[]")]
    [InlineData("BODY[99999999999.1]")]
    public void What_is_no_data_item_is_refused(string text)
    {
        Parse(text, out var error).ShouldBeNull();
        error.ShouldNotBeNullOrEmpty();
    }

    [Fact]
    public void Reading_a_body_is_seeing_it_and_peeking_is_not()
    {
        Parse("(BODY[] RFC822.TEXT)", out _)!.ShouldAllBe(item => item.SetsSeen);
        Parse("(BODY.PEEK[] RFC822.HEADER BODYSTRUCTURE BODY)", out _)!.ShouldAllBe(item => !item.SetsSeen);
    }

    [Fact]
    public void MaxFetchItems_bounds_one_command()
    {
        Parse("(BODY[1] BODY[2] BODY[3])", out _, limit: 3).ShouldNotBeNull();
        Parse("(BODY[1] BODY[2] BODY[3] BODY[4])", out var error, limit: 3).ShouldBeNull();
        error.ShouldBe("Too many data items");
    }

    [Fact]
    public void A_section_of_a_thousand_levels_is_refused() =>
        Parse($"BODY[{string.Join('.', Enumerable.Repeat(1, 1000))}]", out _).ShouldBeNull();
}
