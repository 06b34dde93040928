using EventMail.Domain.Mailboxes;

namespace EventMail.Domain.Tests.Mailboxes;

public class AccessListTests
{
    [Theory]
    [InlineData("lrs", "lrs")]
    [InlineData("srl", "lrs")]
    [InlineData("c", "kxc")]
    [InlineData("d", "ted")]
    [InlineData("lrswipkxtecda", "lrswipkxteacd")]
    [InlineData("", "")]
    [InlineData("e", "ed")]
    public void Rights_are_told_with_the_old_ones_that_stand_for_them(string given, string told)
    {
        RightsText.TryParse(given, out var rights, out _).ShouldBeTrue();
        RightsText.WithOldRights(rights).ShouldBe(told);
    }

    [Theory]
    [InlineData("lrQ", 'Q')]
    [InlineData("lrq", 'q')]
    [InlineData("0", '0')]
    [InlineData("l r", ' ')]
    public void What_is_no_right_is_named(string given, char unknown)
    {
        RightsText.TryParse(given, out _, out var character).ShouldBeFalse();
        character.ShouldBe(unknown);
    }

    [Fact]
    public void Rights_are_ones_own_and_everybodys_without_what_is_taken_from_either()
    {
        var list = AccessList.Empty.With("bobbobbo", Read("lrw")).With("anyone", Read("li")).With("-bobbobbo", Read("w")).With("-anyone", Read("s"));
        RightsText.Of(list.RightsOf("bobbobbo")).ShouldBe("lri");
        RightsText.Of(list.RightsOf("carolcar")).ShouldBe("li");
        list.With("bobbobbo", Rights.None).With("-bobbobbo", Rights.None).RightsOf("bobbobbo").ShouldBe(Read("li"));
        AccessList.Empty.RightsOf("bobbobbo").ShouldBe(Rights.None);
    }

    [Fact]
    public void A_list_is_read_as_it_was_written_whatever_the_order_of_its_making()
    {
        var list = AccessList.Empty.With("bobbobbo", Rights.All).With("anyone", Rights.Lookup).With("-carolcar", Rights.Seen);
        var other = AccessList.Empty.With("-carolcar", Rights.Seen).With("anyone", Rights.Lookup).With("bobbobbo", Rights.All);
        other.ShouldBe(list);
        AccessList.Parse(list.ToString()).ShouldBe(list);
        AccessList.Parse("").ShouldBe(AccessList.Empty);
        list.ToString().ShouldBe("-carolcar =s anyone =l bobbobbo =lrswipkxtea");
    }

    [Fact]
    public void The_flags_that_one_may_change_are_those_of_the_rights()
    {
        RightsText.FlagsOf(Rights.All).ShouldBe(ulong.MaxValue);
        RightsText.FlagsOf(Rights.Seen | Rights.Read).ShouldBe(SystemFlags.Seen);
        RightsText.FlagsOf(Rights.DeleteMessages).ShouldBe(SystemFlags.Deleted);
        RightsText.FlagsOf(Rights.Write).ShouldBe(~(SystemFlags.Seen | SystemFlags.Deleted));
        RightsText.FlagsOf(Rights.None).ShouldBe(0ul);
    }

    private static Rights Read(string text) => RightsText.TryParse(text, out var rights, out _) ? rights : throw new FormatException(text);
}
