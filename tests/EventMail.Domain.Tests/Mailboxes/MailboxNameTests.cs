using EventMail.Domain.Mailboxes;

namespace EventMail.Domain.Tests.Mailboxes;

public class MailboxNameTests
{
    [Theory]
    [InlineData("Work", "Work")]
    [InlineData("inbox", "INBOX")]
    [InlineData("Inbox/Sub", "INBOX/Sub")]
    [InlineData("inboxes", "inboxes")]
    [InlineData("Work/", "Work")]
    [InlineData("Prüfung/Ä & ö", "Prüfung/Ä & ö")]
    [InlineData("日本語/\U0001F600", "日本語/\U0001F600")]
    [InlineData("a..b/../c", "a..b/../c")]
    public void A_name_is_taken_in_its_canonical_form(string name, string canonical) =>
        MailboxName.ForCreation(name).Value.ShouldBe(canonical);

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("/a")]
    [InlineData("a//b")]
    [InlineData("a//")]
    [InlineData("a\0b")]
    [InlineData("a\rb")]
    [InlineData("a\nb")]
    [InlineData("a\u007fb")]
    [InlineData("a\u0085b")]
    [InlineData("a\u2028b")]
    [InlineData("#news.comp")]
    public void What_is_no_name_is_refused(string name) =>
        MailboxName.ForCreation(name).Rejection!.Kind.ShouldBe(RejectionKind.Invalid);

    [Fact]
    public void A_lone_surrogate_is_no_text() =>
        MailboxName.ForCreation("a" + (char)0xd800 + "b").Rejection!.Kind.ShouldBe(RejectionKind.Invalid);

    [Fact]
    public void Names_are_bounded_by_MaxNameBytes_MaxLevelBytes_and_MaxDepth()
    {
        var level = new string('x', MailboxLimits.MaxLevelBytes);
        MailboxName.ForCreation(level).IsOk.ShouldBeTrue();
        MailboxName.ForCreation(level + "x").Rejection!.Kind.ShouldBe(RejectionKind.Limit);
        MailboxName.ForCreation(string.Join('/', level, level, level, level)).Rejection!.Kind.ShouldBe(RejectionKind.Limit);
        var deep = string.Join('/', Enumerable.Repeat("d", MailboxLimits.MaxDepth));
        MailboxName.ForCreation(deep).IsOk.ShouldBeTrue();
        MailboxName.ForCreation(deep + "/d").Rejection!.Kind.ShouldBe(RejectionKind.Limit);
    }

    [Fact]
    public void Inbox_comes_first_and_children_behind_their_parents()
    {
        string[] sorted = ["INBOX", "INBOX/a", "A", "A/b", "A b", "B", "a"];
        sorted.Reverse().Order(MailboxName.Order).ShouldBe(sorted);
    }

    [Fact]
    public void Parents_are_told_outermost_first() => MailboxName.Parents("a/b/c").ShouldBe(["a", "a/b"]);

    [Fact]
    public void Only_whole_levels_are_below()
    {
        MailboxName.IsBelow("a/b", "a").ShouldBeTrue();
        MailboxName.IsBelow("ab", "a").ShouldBeFalse();
        MailboxName.IsBelow("a", "a").ShouldBeFalse();
    }
}
