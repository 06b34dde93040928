using EventMail.Domain.Mailboxes;

namespace EventMail.Domain.Tests.Mailboxes;

public class MailboxViewTests
{
    [Fact]
    public void It_agrees_with_a_naive_list_after_any_steps() => Properties.Hold(Properties.Steps, steps =>
    {
        var walk = new MailboxWalk();
        foreach (var step in steps)
        {
            walk.Take(step);
            walk.ShouldAgree();
        }
    });

    [Fact]
    public void It_agrees_with_a_naive_list_when_chunks_fill_and_empty() => Properties.Hold(Properties.Steps, steps =>
    {
        var walk = new MailboxWalk(scale: 3000);
        foreach (var step in steps)
            walk.Take(step);
        walk.ShouldAgree();
        for (var i = 0; i < walk.View.ChunkCount; i++)
            walk.View.ChunkAt(i).Count.ShouldBeInRange(1, Chunk.Capacity);
    }, tests: 60, size: 60);

    [Fact]
    public void An_old_version_stays_as_it_was() => Properties.Hold(Properties.Steps, steps =>
    {
        var walk = new MailboxWalk(scale: 600);
        var kept = new List<(MailboxView View, List<MailboxWalk.NaiveMessage> Messages, long Version)>();
        foreach (var step in steps)
        {
            walk.Take(step);
            if (step.B % 5 == 0)
                kept.Add((walk.View, [.. walk.Naive.Select(m => m with { Flags = new(m.Flags, StringComparer.OrdinalIgnoreCase) })], walk.State.Version));
        }
        foreach (var (view, messages, version) in kept)
            MailboxWalk.Agree(view, messages, version);
    }, tests: 60, size: 60);

    [Fact]
    public void Two_continuations_of_one_version_do_not_disturb_each_other()
    {
        var root = MailboxView.Empty;
        for (var uid = 1u; uid <= 10; uid++)
            root = root.Append(new(uid, 0, uid, 1, 0, 1, 0), FlagTable.Empty);
        // A batch that was thrown away had appended in place.
        var lost = root.Append(new(11, SystemFlags.Seen, 11, 100, 0, 2, 0), FlagTable.Empty);
        var kept = root.Append(new(11, 0, 11, 200, 0, 3, 0), FlagTable.Empty);
        var more = kept.Append(new(12, 0, 12, 300, 0, 4, 0), FlagTable.Empty);
        root.Count.ShouldBe(10);
        lost[10].ShouldBe(new(11, SystemFlags.Seen, 11, 100, 0, 2, 0));
        kept[10].ShouldBe(new(11, 0, 11, 200, 0, 3, 0));
        more[10].ShouldBe(kept[10]);
        more[11].Size.ShouldBe(300u);
    }

    [Fact]
    public void A_uid_is_found_at_its_index_or_where_it_would_be() => Properties.Hold(Properties.Steps, steps =>
    {
        var walk = new MailboxWalk(scale: 300);
        foreach (var step in steps)
            walk.Take(step);
        var uids = walk.Naive.Select(m => m.Uid).ToList();
        for (var uid = 0u; uid <= walk.State.UidNext; uid++)
            walk.View.IndexOf(uid).ShouldBe(uids.BinarySearch(uid));
        for (var i = 0; i < uids.Count; i++)
            walk.View[i].Uid.ShouldBe(uids[i]);
    }, tests: 50, size: 50);

    [Fact]
    public void Uids_and_sequence_numbers_are_translated_both_ways() => Properties.Hold(Properties.Steps, steps =>
    {
        var walk = new MailboxWalk(scale: 300);
        foreach (var step in steps)
        {
            walk.Take(step);
            var some = walk.Some(step);
            var expected = walk.Naive.Select((m, i) => (m.Uid, Number: (uint)i + 1)).Where(m => some.Contains(m.Uid)).ToList();
            walk.View.Existing(some).ToArray().ShouldBe(expected.Select(m => m.Uid));
            var numbers = walk.View.SequenceOfUids(some);
            numbers.ToArray().ShouldBe(expected.Select(m => m.Number));
            walk.View.UidsOfSequence(numbers).ShouldBe(walk.View.Existing(some));
        }
        walk.View.UidsOfSequence(UidSet.OfRange(1, uint.MaxValue)).ToArray().ShouldBe(walk.Naive.Select(m => m.Uid));
    }, tests: 50, size: 50);

    [Fact]
    public void Messages_are_found_by_flag() => Properties.Hold(Properties.Steps, steps =>
    {
        var walk = new MailboxWalk();
        foreach (var step in steps)
            walk.Take(step);
        var seenLive = walk.Naive.FindAll(m => m.Flags.Contains(@"\Seen") && !m.Flags.Contains(@"\Deleted"));
        walk.View.UidsWhere(SystemFlags.Seen, SystemFlags.Deleted).ToArray().ShouldBe(seenLive.Select(m => m.Uid));
        walk.View.IndexOfFirst(0, SystemFlags.Seen).ShouldBe(walk.Naive.FindIndex(m => !m.Flags.Contains(@"\Seen")));
    });

    [Fact]
    public void Chunks_that_an_event_does_not_touch_are_shared()
    {
        var view = Filled(10_000);
        var stored = view.WithFlags([new(@"\Seen", "5000", "")], 10_001, FlagTable.Empty);
        var shared = Enumerable.Range(0, view.ChunkCount).Count(i => view.ChunkAt(i) == stored.ChunkAt(i));
        shared.ShouldBe(view.ChunkCount - 1);
        stored[4999].Flags.ShouldBe(SystemFlags.Seen);
        stored[4999].ModSeq.ShouldBe(10_001);
    }

    [Fact]
    public void Many_expunges_leave_few_chunks()
    {
        var view = Filled(20_000);
        view = view.Without(UidSet.From(Enumerable.Range(1, 20_000).Where(i => i % 100 != 0).Select(i => (uint)i)), 20_001);
        view.Count.ShouldBe(200);
        view.ChunkCount.ShouldBe(1);
    }

    internal static MailboxView Filled(int count)
    {
        var rows = new MessageRow[count];
        for (var i = 0; i < count; i++)
            rows[i] = new((uint)i + 1, 0, i + 1, 4096, 1_700_000_000 + i * 60, 5000 + i, 1_700_000_000 + (uint)i * 60);
        return MailboxView.Empty.Append(rows, count, FlagTable.Empty);
    }
}
