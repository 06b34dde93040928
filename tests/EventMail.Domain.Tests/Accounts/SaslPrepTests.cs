using EventMail.Domain.Accounts;

namespace EventMail.Domain.Tests.Accounts;

/// <summary>RFC 4013, with the examples of its §3 that need no normalization.</summary>
public sealed class SaslPrepTests
{
    [Theory]
    [InlineData("I\u00ADX", "IX")]
    [InlineData("user", "user")]
    [InlineData("USER", "USER")]
    [InlineData("pass\u00A0word", "pass word")]
    [InlineData("a\u3000b\u200Bc", "a bc")]
    [InlineData("", "")]
    [InlineData("grün 🔑", "grün 🔑")]
    [InlineData("\u0627\u0628", "\u0627\u0628")]
    [InlineData("\u0627 1 \u0628", "\u0627 1 \u0628")]
    public void What_can_be_typed_in_more_than_one_way_has_one_form(string typed, string form)
    {
        SaslPrep.TryPrepare(typed, out var prepared).ShouldBeTrue();
        prepared.ShouldBe(form);
    }

    [Theory]
    [InlineData("\u0007", "a control character")]
    [InlineData("a\u007F", "DEL")]
    [InlineData("\u0085", "a C1 control")]
    [InlineData("\uE000", "private use")]
    [InlineData("\uFFFD", "not plain text")]
    [InlineData("\u202Ex", "changes the display")]
    [InlineData("\uDB40\uDC41", "a tag")]
    [InlineData("\uD83F\uDFFE", "no character")]
    [InlineData("\uD800", "half a character")]
    [InlineData("\u0627\u0031", "right-to-left that does not end so")]
    [InlineData("\u0627a\u0628", "both directions")]
    public void What_is_prohibited_has_none(string typed, string why)
    {
        SaslPrep.TryPrepare(typed, out var prepared).ShouldBeFalse(why);
        prepared.ShouldBeEmpty();
    }
}
