using EventMail.Domain.Mailboxes;

namespace EventMail.Domain.Tests.Mailboxes;

public class RestoreDeciderTests
{
    private static readonly Guid Id = Guid.Parse("0198f0c2-5b1e-7c3a-9d24-3f6a1b8c7e50");

    private static readonly DateTimeOffset Time = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000);

    private static readonly MailboxCreated Created = new("Work", 7, null);

    private static MailboxState Given(params object[] events) => After(MailboxState.Empty, events);

    private static MailboxState After(MailboxState state, params object?[] events)
    {
        foreach (var e in events)
            state = e is null ? state : state.Evolve(e, state.Version + 1, Time);
        return state;
    }

    private static MailboxState After(MailboxState state, RestoreDecision decision) =>
        After(state, decision.Restored, decision.Flags, decision.Removed);

    private static MessageAppended Message(uint uid, params string[] flags) =>
        new(uid, new(uid + 100, new string('a', 64), uid * 10), DateTimeOffset.FromUnixTimeSeconds(uid), flags, null);

    private static MessagesExpunged Gone(MailboxState state, string uids) => MailboxDecider.Remove(state, UidSet.Parse(uids)).Value!.Event!;

    private static RestoreTarget To(MailboxState then) => new(then.View!, Id, then.Version);

    private static string Picture(MailboxView view) => string.Join(
        "; ", Rows(view).Select(row => $"{row.Uid}: {Words(row, view)}"));

    private static string Words(MessageRow row, MailboxView view) =>
        $"{row.Content} {row.Size} {row.InternalDate} {string.Join(' ', Enumerable.Range(0, view.Flags.Count).Where(bit => (row.Flags >> bit & 1) == 1).Select(view.Flags.NameOf).Order(StringComparer.OrdinalIgnoreCase))}";

    private static IEnumerable<MessageRow> Rows(MailboxView view) => Enumerable.Range(0, view.Count).Select(i => view[i]);

    [Fact]
    public void What_was_expunged_comes_back_under_new_UIDs_with_its_date_flags_and_content()
    {
        var then = Given(Created, Message(1, @"\Seen"), Message(2, "work", @"\Flagged"), Message(3));
        var now = After(then, Gone(then, "1:2"), Message(4));
        var decision = RestoreDecider.Restore(now, Id, To(then)).Value!;
        decision.Restored!.SourceUids.ShouldBe("1:2");
        decision.Restored.Uids.ShouldBe("5:6");
        (decision.Restored.Source, decision.Restored.Version).ShouldBe((Id, 4L));
        Picture(After(now, decision).View!).ShouldBe(@"3: 103 30 3 ; 4: 104 40 4 ; 5: 101 10 1 \Seen; 6: 102 20 2 work \Flagged");
    }

    [Fact]
    public void Flags_of_what_is_still_there_are_as_they_were_and_what_came_since_stays()
    {
        var then = Given(Created, Message(1, @"\Seen"), Message(2));
        var now = After(then, new FlagsChanged([new(@"\Seen", "2", "1"), new("junk", "1:2", "")]), Message(3, "junk"));
        var decision = RestoreDecider.Restore(now, Id, To(then)).Value!;
        decision.Restored.ShouldBeNull();
        Picture(After(now, decision).View!).ShouldBe(@"1: 101 10 1 \Seen; 2: 102 20 2 ; 3: 103 30 3 junk");
        RestoreDecider.Restore(now, Id, To(then) with { Flags = false }).Value!.IsNothing.ShouldBeTrue();
    }

    [Fact]
    public void Restoring_twice_brings_nothing_twice()
    {
        var then = Given(Created, Message(1, @"\Seen"), Message(2));
        var now = After(then, Gone(then, "1:2"));
        now = After(now, RestoreDecider.Restore(now, Id, To(then)).Value!);
        RestoreDecider.Restore(now, Id, To(then)).Value!.IsNothing.ShouldBeTrue();
    }

    [Fact]
    public void Of_two_copies_of_a_message_the_missing_one_comes_back()
    {
        var twin = Message(2) with { Content = Message(1).Content };
        var then = Given(Created, Message(1), twin);
        var now = After(then, Gone(then, "2"));
        RestoreDecider.Restore(now, Id, To(then)).Value!.Restored!.SourceUids.ShouldBe("2");
    }

    [Fact]
    public void Only_the_messages_that_are_named_come_back_and_nothing_goes()
    {
        var then = Given(Created, Message(1), Message(2), Message(3));
        var now = After(then, Gone(then, "1:3"), Message(4));
        var decision = RestoreDecider.Restore(now, Id, To(then) with { Only = UidSet.Parse("2"), RemoveLater = true }).Value!;
        decision.Restored!.SourceUids.ShouldBe("2");
        decision.Removed.ShouldBeNull();
    }

    [Fact]
    public void What_is_elsewhere_is_passed_over_and_counted()
    {
        var then = Given(Created, Message(1), Message(2));
        var now = After(then, Gone(then, "1:2"));
        var decision = RestoreDecider.Restore(now, Id, To(then) with { PassOver = content => content == 101 }).Value!;
        decision.Restored!.SourceUids.ShouldBe("2");
        decision.PassedOver.ShouldBe(1);
    }

    [Fact]
    public void A_deleted_mailbox_comes_back_with_its_UIDs()
    {
        var then = Given(Created, Message(1, @"\Seen"), Message(2));
        var deleted = After(then, MailboxDecider.Delete(then).Value!);
        var back = After(deleted, RestoreDecider.Undelete(deleted, "Work").Value!);
        back.Exists.ShouldBeTrue();
        (back.UidValidity, back.UidNext, back.Messages).ShouldBe((7u, 3u, 2L));
        Picture(back.View!).ShouldBe(Picture(then.View!));
        RestoreDecider.Undelete(then, "Work").Rejection.ShouldNotBeNull();
    }

    [Fact]
    public void Messages_of_a_deleted_mailbox_come_into_another_that_has_its_name()
    {
        var then = Given(Created, Message(1, "alpha", @"\Seen"), Message(2));
        var other = Given(new MailboxCreated("Work", 8, null), Message(1, "beta"));
        var decision = RestoreDecider.Restore(other, Guid.Empty, To(then) with { PassOver = _ => false }).Value!;
        decision.Restored!.SourceUids.ShouldBe("2"); // the first is there: the same content
        Picture(After(other, decision).View!).ShouldBe(@"1: 101 10 1 alpha \Seen; 2: 102 20 2 ");
    }

    [Fact]
    public void A_mailbox_that_is_gone_is_refused() =>
        RestoreDecider.Restore(MailboxState.Empty, Id, new(MailboxView.Empty, Id, 1)).Rejection.ShouldBe(Rejection.MailboxMissing);

    [Fact]
    public void Whatever_happened_all_is_there_again_afterwards() => Properties.Hold(Properties.Steps, steps =>
    {
        var walk = new MailboxWalk();
        foreach (var step in steps[..(steps.Length / 2)])
            walk.Take(step);
        var then = walk.State;
        foreach (var step in steps[(steps.Length / 2)..])
            walk.Take(step);

        var exact = RestoreDecider.Restore(walk.State, Id, To(then) with { RemoveLater = true }).Value!;
        var back = After(walk.State, exact);
        Rows(back.View!).Select(row => Words(row, back.View!)).Order().ShouldBe(Rows(then.View!).Select(row => Words(row, then.View!)).Order());
        (back.Messages, back.Unseen, back.Bytes).ShouldBe((then.Messages, then.Unseen, then.Bytes));

        var kept = After(walk.State, RestoreDecider.Restore(walk.State, Id, To(then)).Value!);
        var all = Rows(kept.View!).Select(row => Words(row, kept.View!)).ToList();
        foreach (var row in Rows(then.View!))
            all.Remove(Words(row, then.View!)).ShouldBeTrue();
    }, tests: 150);
}
