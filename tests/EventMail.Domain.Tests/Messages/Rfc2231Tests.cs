using EventMail.Domain.Messages;

namespace EventMail.Domain.Tests.Messages;

public class Rfc2231Tests
{
    [Fact]
    public void Continuations_are_joined_in_BODYSTRUCTURE() => // RFC 2231 §3, §6
        Wire.Body(Wire.Read("Content-Type: message/external-body; access-type=URL;\n URL*0=\"ftp://\";\n URL*1=\"cs.utk.edu/x\"\n\n"))
            .ShouldContain("(\"access-type\" \"URL\" \"URL\" \"ftp://cs.utk.edu/x\")");

    [Fact]
    public void A_value_with_a_charset_stays_encoded_in_BODYSTRUCTURE_and_is_decoded_for_people() // RFC 2231 §4.1
    {
        var message = Wire.Read("Content-Type: application/x-stuff;\n title*0*=us-ascii'en'This%20is%20even%20more%20;\n"
            + " title*1*=%2A%2A%2Afun%2A%2A%2A%20;\n title*2=\"isn't it! 100%\"\n\n");

        Wire.Body(message).ShouldContain("(\"title*\" \"us-ascii'en'This%20is%20even%20more%20%2A%2A%2Afun%2A%2A%2A%20isn't it! 100%25\")");
        message.Root.Parameter("title").ShouldBe("This is even more ***fun*** isn't it! 100%");
    }

    [Fact]
    public void Segments_may_come_in_any_order() =>
        Wire.Read("Content-Type: a/b; n*1=two; n*0=one\n\n").Root.Parameter("N").ShouldBe("onetwo");

    [Fact]
    public void An_incomplete_sequence_stays_as_it_is() =>
        Wire.Body(Wire.Read("Content-Type: a/b; n*0=one; n*2=three\n\n")).ShouldContain("(\"n*0\" \"one\" \"n*2\" \"three\")");

    [Fact]
    public void The_encoded_form_wins_over_the_plain_one() =>
        Wire.Read("Content-Type: a/b; name=fallback; name*=UTF-8''%E2%82%AC\n\n").Root.Parameter("name").ShouldBe("€");

    [Theory]
    [InlineData("utf-8''%e4%b8%ad", "中")]
    [InlineData("iso-8859-1'de'%fc", "ü")]
    [InlineData("no quotes %41", "no quotes A")]
    [InlineData("utf-8''100%", "100%")]
    [InlineData("utf-8''%4", "%4")]
    public void Extended_values_are_decoded(string value, string expected) =>
        Rfc2231.DecodeExtended(System.Text.Encoding.Latin1.GetBytes(value)).ShouldBe(expected);
}
