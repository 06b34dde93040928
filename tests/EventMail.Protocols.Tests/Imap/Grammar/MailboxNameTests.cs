using System.Text;
using EventMail.Protocols.Imap.Grammar;
using FsCheck;
using FsCheck.Fluent;

namespace EventMail.Protocols.Tests.Imap.Grammar;

public class MailboxNameTests
{
    [Theory]
    [InlineData("INBOX", "INBOX")]
    [InlineData("a&-b", "a&b")]
    [InlineData("Entw&APw-rfe", "Entwürfe")]
    // RFC 3501 §5.1.3's own examples.
    [InlineData("~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/台北/日本語")]
    [InlineData("&2D3eAA-", "😀")]
    public void Names_are_modified_UTF_7_on_the_wire(string wire, string name)
    {
        ModifiedUtf7.TryDecode(Encoding.ASCII.GetBytes(wire), out var decoded).ShouldBeTrue();
        decoded.ShouldBe(name);
        Encoding.ASCII.GetString(ModifiedUtf7.Encode(name)).ShouldBe(wire);
    }

    [Theory]
    [InlineData("a&b")]
    [InlineData("&Jjo")]
    [InlineData("&Jjo!-")]
    // RFC 3501 §5.1.3: superfluous shifts; printable ASCII encoded; bits left over; half a character; lone surrogates.
    [InlineData("&U,BTFw-&ZeVnLIqe-")]
    [InlineData("&AGE-")]
    [InlineData("&APx-")]
    [InlineData("&AP-")]
    [InlineData("&2D0-")]
    [InlineData("&3gA-")]
    [InlineData("&U/BTFw-")]
    [InlineData("&APw=-")]
    [InlineData("&AAo-")]
    [InlineData("a\tb")]
    public void A_name_has_one_spelling_and_others_are_refused(string wire) =>
        ModifiedUtf7.TryDecode(Encoding.ASCII.GetBytes(wire), out _).ShouldBeFalse();

    [Fact]
    public void An_ampersand_may_follow_an_encoded_run()
    {
        ModifiedUtf7.TryDecode("&APw-&-"u8, out var name).ShouldBeTrue();
        name.ShouldBe("ü&");
        Encoding.ASCII.GetString(ModifiedUtf7.Encode("ü&")).ShouldBe("&APw-&-");
    }

    [Fact]
    public void Every_name_survives_the_wire() => Prop.ForAll(Gen.Elements("aé日😀&-/ ü~".EnumerateRunes().ToArray()).ArrayOf().ToArbitrary(), runes =>
    {
        var name = string.Concat(runes.Select(rune => rune.ToString()));
        return ModifiedUtf7.TryDecode(ModifiedUtf7.Encode(name), out var decoded) && decoded == name;
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_name_with_octets_above_127_is_UTF_8()
    {
        CommandParser.TryMailboxName("Entwürfe & co"u8, out var name).ShouldBeTrue();
        name.ShouldBe("Entwürfe & co");
        CommandParser.TryMailboxName([0xFC], out _).ShouldBeFalse();
        CommandParser.TryMailboxName("ü\u0085"u8, out _).ShouldBeFalse();
    }

    [Fact]
    public void INBOX_is_one_mailbox_in_any_case()
    {
        CommandParser.TryMailboxName("iNbOx"u8, out var name).ShouldBeTrue();
        name.ShouldBe("INBOX");
    }
}
