using System.Text;
using EventMail.Protocols.Pop3;

namespace EventMail.Protocols.Tests.Pop3;

public class Pop3GrammarTests
{
    [Theory]
    [InlineData("retr")]
    [InlineData("RETR")]
    [InlineData("rEtR")]
    public void Keywords_are_found_in_any_case(string keyword) => Find(keyword)!.Keyword.ShouldBe("RETR");

    [Theory]
    [InlineData("")]
    [InlineData("RE")]
    [InlineData("RETRX")]
    [InlineData("XTND")]
    [InlineData("\0TOP")]
    [InlineData("\u00d2ETR")]
    public void What_is_no_command_is_not_found(string keyword) => Find(keyword).ShouldBeNull();

    [Theory]
    [InlineData("1", 1)]
    [InlineData(" 1 ", 1)]
    [InlineData("007", 7)]
    [InlineData("99999999999999999999999999", long.MaxValue)]
    public void Message_numbers_are_decimal(string text, long number)
    {
        TryParse(Pop3Syntax.Message, text, out var arguments).ShouldBeTrue();
        arguments.Message.ShouldBe(number);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-1")]
    [InlineData("+1")]
    [InlineData("1.5")]
    [InlineData("0x1")]
    [InlineData("one")]
    [InlineData("1 2")]
    [InlineData("1\t")]
    public void Anything_else_is_no_message_number(string text) => TryParse(Pop3Syntax.Message, text, out _).ShouldBeFalse();

    [Fact]
    public void Top_takes_a_message_and_a_number_of_lines()
    {
        TryParse(Pop3Syntax.MessageAndLines, "3 10", out var arguments).ShouldBeTrue();
        arguments.Message.ShouldBe(3);
        arguments.Lines.ShouldBe(10);
        TryParse(Pop3Syntax.MessageAndLines, "3", out _).ShouldBeFalse();
        TryParse(Pop3Syntax.MessageAndLines, "3 -1", out _).ShouldBeFalse();
    }

    [Fact]
    public void A_password_keeps_its_spaces()
    {
        TryParse(Pop3Syntax.Text, " two  words ", out var arguments).ShouldBeTrue();
        Encoding.ASCII.GetString(arguments.Text.Span).ShouldBe(" two  words ");
    }

    [Fact]
    public void A_command_without_arguments_may_be_followed_by_spaces_only()
    {
        TryParse(Pop3Syntax.None, "  ", out _).ShouldBeTrue();
        TryParse(Pop3Syntax.None, "x", out _).ShouldBeFalse();
    }

    private static Pop3Command? Find(string keyword) => Pop3Commands.Find(Encoding.Latin1.GetBytes(keyword));

    private static bool TryParse(Pop3Syntax syntax, string text, out Pop3Arguments arguments) =>
        Pop3Arguments.TryParse(syntax, Encoding.ASCII.GetBytes(text), out arguments);
}
