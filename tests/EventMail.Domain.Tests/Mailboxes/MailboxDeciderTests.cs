using System.Globalization;
using EventMail.Domain.Mailboxes;

namespace EventMail.Domain.Tests.Mailboxes;

public class MailboxDeciderTests
{
    private static readonly DateTimeOffset Time = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000);

    private static readonly UidSet Everything = UidSet.OfRange(1, uint.MaxValue);

    private static MailboxState Given(params object[] events)
    {
        var state = MailboxState.Empty;
        foreach (var e in events)
            state = state.Evolve(e, state.Version + 1, Time);
        return state;
    }

    private static readonly MailboxCreated Created = new("Work", 7, null);

    private static MessageAppended Message(uint uid, params string[] flags) =>
        new(uid, new(uid + 100, new string('a', 64), uid * 10), DateTimeOffset.UnixEpoch, flags, null);

    [Fact]
    public void Storing_the_same_flags_changes_nothing()
    {
        var state = Given(Created, Message(1, @"\Seen"), Message(2, @"\Seen", "work"));
        MailboxDecider.Store(state, Everything, StoreMode.Add, [@"\seen"], null).Value!.Event.ShouldBeNull();
        MailboxDecider.Store(state, UidSet.Of(2), StoreMode.Replace, ["WORK", @"\Seen"], null).Value!.Event.ShouldBeNull();
        MailboxDecider.Store(state, Everything, StoreMode.Remove, [@"\Deleted", "unknown"], null).Value!.Event.ShouldBeNull();
    }

    [Fact]
    public void Storing_says_per_flag_who_gained_and_who_lost_it()
    {
        var state = Given(Created, Message(1, @"\Seen"), Message(2), Message(3, "work"));
        var decision = MailboxDecider.Store(state, Everything, StoreMode.Replace, [@"\Seen"], null).Value!;
        decision.Event!.Changes.ShouldBe([new(@"\Seen", "2:3", ""), new("work", "", "3")]);
        decision.Changed.ToString().ShouldBe("2:3");
    }

    [Fact]
    public void Swapping_gained_and_lost_undoes_a_store()
    {
        var state = Given(Created, Message(1, @"\Seen"), Message(2, "work"), Message(3));
        var stored = MailboxDecider.Store(state, Everything, StoreMode.Replace, [@"\Flagged"], null).Value!.Event!;
        var undone = new FlagsChanged([.. stored.Changes.Select(c => new FlagChange(c.Flag, c.Removed, c.Added))]);
        var back = state.Evolve(stored, 5, Time).Evolve(undone, 6, Time);
        back.View!.Slices().ToFlags().ShouldBe(state.View!.Slices().ToFlags());
        back.Unseen.ShouldBe(state.Unseen);
    }

    [Fact]
    public void A_keyword_keeps_its_first_spelling()
    {
        var state = Given(Created, Message(1, "Work"), Message(2));
        var decision = MailboxDecider.Store(state, Everything, StoreMode.Add, ["wORK"], null).Value!;
        decision.Event!.Changes.ShouldBe([new("Work", "2", "")]);
    }

    [Fact]
    public void Messages_that_changed_since_are_left_alone_and_named()
    {
        var state = Given(Created, Message(1), Message(2), Message(3));
        var decision = MailboxDecider.Store(state, Everything, StoreMode.Add, [@"\Seen"], unchangedSince: 3).Value!;
        decision.Changed.ToString().ShouldBe("1:2");
        decision.Modified.ToString().ShouldBe("3");
    }

    [Fact]
    public void There_is_room_for_MaxKeywordsPerMailbox_keywords()
    {
        var state = Given(Created, Message(1));
        for (var i = 0; i < MailboxLimits.MaxKeywordsPerMailbox; i++)
        {
            var e = MailboxDecider.Store(state, Everything, StoreMode.Add, ["k" + i.ToString(CultureInfo.InvariantCulture)], null).Value!.Event!;
            state = state.Evolve(e, state.Version + 1, Time);
        }
        state.View![0].Flags.ShouldBe(ulong.MaxValue >> 1 & ~31UL);
        MailboxDecider.Store(state, Everything, StoreMode.Add, ["one-more"], null).Rejection!.Kind.ShouldBe(RejectionKind.Limit);
        MailboxDecider.Append(state, new(1, "", 1), DateTimeOffset.UnixEpoch, ["one-more"], null).Rejection!.Kind.ShouldBe(RejectionKind.Limit);
        MailboxDecider.Store(state, Everything, StoreMode.Remove, ["K5"], null).Value!.Event.ShouldNotBeNull();
        // Other people's events are folded as far as there is room.
        state.Evolve(new FlagsChanged([new("one-more", "1", "")]), state.Version + 1, Time).View![0].Flags.ShouldBe(state.View![0].Flags);
    }

    [Theory]
    [InlineData(@"\Recent")]
    [InlineData(@"\Unknown")]
    [InlineData("two words")]
    [InlineData("")]
    [InlineData("par(en")]
    [InlineData("caf\u00e9")]
    [InlineData("a\r\nb")]
    public void What_is_no_flag_is_refused(string flag) =>
        MailboxDecider.Store(Given(Created, Message(1)), Everything, StoreMode.Add, [flag], null).Rejection!.Kind.ShouldBe(RejectionKind.Invalid);

    [Fact]
    public void A_keyword_is_at_most_MaxKeywordLength_long()
    {
        FlagNames.Check(new string('k', MailboxLimits.MaxKeywordLength)).ShouldBeNull();
        FlagNames.Check(new string('k', MailboxLimits.MaxKeywordLength + 1))!.Kind.ShouldBe(RejectionKind.Limit);
    }

    [Fact]
    public void Only_deleted_messages_are_expunged()
    {
        var state = Given(Created, Message(1, @"\Deleted"), Message(2), Message(3, @"\Deleted", @"\Seen"));
        MailboxDecider.Expunge(state, null).Value!.Event.ShouldBe(new("1,3", 40, 1, null));
        MailboxDecider.Expunge(state, UidSet.Parse("2:3")).Value!.Event.ShouldBe(new("3", 30, 0, null));
        MailboxDecider.Expunge(state, UidSet.Of(2)).Value!.Event.ShouldBeNull();
    }

    [Fact]
    public void A_removal_takes_the_named_messages_whatever_their_flags()
    {
        var state = Given(Created, Message(1), Message(2));
        MailboxDecider.Remove(state, UidSet.Parse("2,9")).Value!.Event.ShouldBe(new("2", 20, 1, null));
        MailboxDecider.Remove(state, UidSet.Of(9)).Value!.Event.ShouldBeNull();
    }

    [Fact]
    public void A_move_takes_messages_out_and_puts_them_in()
    {
        var (from, to) = (Guid.NewGuid(), Guid.NewGuid());
        var source = Given(Created, Message(1, @"\Seen", "work"), Message(2), Message(3, "work"));
        var destination = Given(new MailboxCreated("Archive", 8, null), Message(1, "Other"));
        var copy = MailboxDecider.Copy(source, from, UidSet.Parse("1,3,8"), destination, to, move: true).Value!;
        var into = copy.Into!;
        (into.Source, into.Moved, into.SourceUids, into.Uids).ShouldBe((from, true, "1,3", "2:3"));
        into.Contents.ShouldBe([101, 103]);
        into.Sizes.ShouldBe([10, 30]);
        into.Flags.ShouldBe([new(@"\Seen", "2"), new("work", "2:3")]);
        copy.OutOf.ShouldBe(new("1,3", 40, 1, to));

        var after = destination.Evolve(into, 3, Time);
        after.View![1].Flags.ShouldBe(SystemFlags.Seen | 1UL << 6);
        after.View.Flags.Keywords.ShouldBe(["Other", "work"]);
        (after.Messages, after.Unseen, after.Bytes, after.UidNext).ShouldBe((3, 2, 50, 4u));
        source.Evolve(copy.OutOf!, 5, Time).Messages.ShouldBe(1);
    }

    [Fact]
    public void Copying_nothing_is_nothing()
    {
        var copy = MailboxDecider.Copy(Given(Created), Guid.Empty, Everything, Given(Created), Guid.Empty, move: true).Value!;
        (copy.Into, copy.OutOf).ShouldBe((null, null));
    }

    [Fact]
    public void Keywords_without_room_stay_behind_when_messages_are_copied()
    {
        var full = Enumerable.Range(0, MailboxLimits.MaxKeywordsPerMailbox).Select(i => "k" + i.ToString(CultureInfo.InvariantCulture));
        var copy = MailboxDecider.Copy(
            Given(Created, Message(1, @"\Seen", "extra", "k3")), Guid.Empty, Everything,
            Given(Created, Message(1, [.. full])), Guid.Empty, move: false).Value!;
        copy.Into!.Flags.Select(f => f.Flag).ShouldBe([@"\Seen", "k3"]);
    }

    [Fact]
    public void Nothing_goes_into_a_mailbox_that_is_gone()
    {
        var gone = Given(Created, new MailboxDeleted("Work", 0, 0));
        MailboxDecider.Receive(gone, new(1, "", 1), DateTimeOffset.UnixEpoch, "", "", null).Rejection.ShouldBe(Rejection.MailboxMissing);
        MailboxDecider.Append(MailboxState.Empty, new(1, "", 1), DateTimeOffset.UnixEpoch, [], null).Rejection.ShouldBe(Rejection.MailboxMissing);
        MailboxDecider.Delete(gone).Rejection.ShouldBe(Rejection.MailboxMissing);
        MailboxDecider.ClaimRecent(gone, 5).ShouldBeNull();
    }

    [Fact]
    public void Uids_are_never_used_again_not_even_when_they_run_out()
    {
        var last = Given(Created) with { UidNext = uint.MaxValue - 1 };
        MailboxDecider.Receive(last, new(1, "", 1), DateTimeOffset.UnixEpoch, "", "", null).Value!.Uid.ShouldBe(uint.MaxValue - 1);
        var out_ = last with { UidNext = uint.MaxValue };
        MailboxDecider.Receive(out_, new(1, "", 1), DateTimeOffset.UnixEpoch, "", "", null).Rejection!.Kind.ShouldBe(RejectionKind.Limit);
    }

    [Fact]
    public void A_mailbox_holds_at_most_MaxMessages()
    {
        var full = Given(Created) with { Messages = MailboxLimits.MaxMessages };
        MailboxDecider.Receive(full, new(1, "", 1), DateTimeOffset.UnixEpoch, "", "", null).Rejection!.Kind.ShouldBe(RejectionKind.Limit);
    }

    [Fact]
    public void Inbox_cannot_be_deleted_but_goes_with_its_account()
    {
        var inbox = Given(new MailboxCreated("INBOX", 7, null), Message(1));
        MailboxDecider.Delete(inbox).Rejection!.Kind.ShouldBe(RejectionKind.CannotChange);
        MailboxDecider.DeleteWithAccount(inbox).ShouldBe(new("INBOX", 1, 10));
    }

    [Fact]
    public void A_rename_that_comes_too_late_is_refused()
    {
        var state = Given(Created, new MailboxRenamed("Work", "Play"));
        MailboxDecider.Rename(state, "Work", "Elsewhere").Rejection.ShouldBe(Rejection.MailboxMissing);
        MailboxDecider.Rename(state, "Play", "Elsewhere").Value.ShouldBe(new("Play", "Elsewhere"));
        MailboxDecider.Rename(state, "Play", "Play").Rejection.ShouldBe(Rejection.MailboxExists);
    }

    [Fact]
    public void Recent_messages_are_claimed_once()
    {
        var state = Given(Created, Message(1), Message(2));
        state.Recent.ShouldBe(2);
        var claimed = state.Evolve(MailboxDecider.ClaimRecent(state, 99)!, 4, Time);
        claimed.RecentFrom.ShouldBe(3u);
        claimed.Recent.ShouldBe(0);
        MailboxDecider.ClaimRecent(claimed, 2).ShouldBeNull();
        MailboxDecider.ClaimRecent(claimed, 99).ShouldBeNull();
    }

    [Fact]
    public void Only_known_special_uses_are_taken()
    {
        MailboxDecider.Create(MailboxState.Empty, "Out", 1, @"\sent").Value.ShouldBe(new("Out", 1, @"\Sent"));
        MailboxDecider.Create(MailboxState.Empty, "All", 1, @"\All").Rejection!.Kind.ShouldBe(RejectionKind.SpecialUse);
        MailboxDecider.Create(Given(Created), "Work", 1, null).Rejection.ShouldBe(Rejection.MailboxExists);
    }
}

internal static class Slicing
{
    public static List<ulong> ToFlags(this MailboxView.SliceEnumerable slices)
    {
        var all = new List<ulong>();
        foreach (var slice in slices)
            all.AddRange(slice.Flags);
        return all;
    }
}
