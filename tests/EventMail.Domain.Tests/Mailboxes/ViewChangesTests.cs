using EventMail.Domain.Mailboxes;
using FsCheck;
using FsCheck.Fluent;

namespace EventMail.Domain.Tests.Mailboxes;

public class ViewChangesTests
{
    // A walk, cut at some of its steps; what came in each part is taken as it was at the part's end.
    private static List<MailboxView> Cut(IReadOnlyList<Properties.Step> steps)
    {
        var (walk, views) = (new MailboxWalk(scale: 300), new List<MailboxView> { MailboxView.Empty });
        for (var i = 0; i < steps.Count; i++)
        {
            walk.Take(steps[i]);
            if (i % 3 == 2 || i == steps.Count - 1)
                views.Add(walk.View);
        }
        return views;
    }

    private static IEnumerable<Chunk> CameBetween(MailboxView before, MailboxView after) =>
        Enumerable.Range(after.LowerBound(before.UidNext), after.Count - after.LowerBound(before.UidNext))
            .Select(i => after[i]).Chunk(Chunk.Capacity).Select(rows => Chunk.Of(rows));

    private static MailboxView Assemble(IEnumerable<Chunk> came, ViewChanges[] changes, MailboxView like) => MailboxView.FromParts(
        came.Select(chunk => chunk.After(changes)).OfType<Chunk>(), like.UidNext, like.HighestModSeq, like.Flags);

    private static void ShouldShowTheSame(MailboxView view, MailboxView expected)
    {
        view.Count.ShouldBe(expected.Count);
        (view.Bytes, view.Unseen, view.Flagged, view.Deleted).ShouldBe((expected.Bytes, expected.Unseen, expected.Flagged, expected.Deleted));
        for (var i = 0; i < view.Count; i++)
            view[i].ShouldBe(expected[i]);
    }

    private static ViewChanges ReadBack(ViewChanges changes)
    {
        ViewChanges.TryDecode(changes.Encode(), out var read).ShouldBeTrue();
        return read!;
    }

    [Fact]
    public void What_came_and_what_became_of_it_is_the_mailbox_step_by_step_and_taken_together() => Properties.Hold(Properties.Steps, steps =>
    {
        var views = Cut([.. steps]);
        var parts = views.Skip(1).Zip(views, (after, before) => (Came: CameBetween(before, after).ToList(), Changes: ReadBack(ViewChanges.Between(before, after)))).ToList();
        for (var last = 0; last < parts.Count; last++)
        {
            var (came, changes) = (parts.Take(last + 1).SelectMany(part => part.Came).ToList(), parts.Take(last + 1).Select(part => part.Changes).ToArray());
            ShouldShowTheSame(Assemble(came, changes, views[last + 1]), views[last + 1]);
            // In whatever way neighbours are taken together.
            for (var split = 0; split <= changes.Length; split++)
            {
                ViewChanges[] two = [.. new[] { changes[..split], changes[split..] }.Where(some => some.Length > 0).Select(some => ReadBack(some.Aggregate((a, b) => a.Then(b))))];
                ShouldShowTheSame(Assemble(came, two, views[last + 1]), views[last + 1]);
            }
        }
    }, tests: 40, size: 40);

    [Fact]
    public void The_later_word_counts_and_what_is_gone_has_none()
    {
        var view = MailboxViewTests.Filled(100);
        var seen = view.WithFlags([new(@"\Seen", "10:60", "")], 200, FlagTable.Empty);
        var flagged = seen.WithFlags([new(@"\Flagged", "20:29,60:70", "")], 201, FlagTable.Empty);
        var gone = flagged.Without(UidSet.Parse("25,61:69"), 202);
        var all = ViewChanges.Between(view, seen).Then(ViewChanges.Between(seen, flagged)).Then(ViewChanges.Between(flagged, gone));
        all.RunsWithin(1, 100).ToArray().Select(run => (run.First, run.Last, run.ModSeq)).ShouldBe(
            [(10u, 19u, 200L), (20u, 24u, 201L), (26u, 29u, 201L), (30u, 59u, 200L), (60u, 60u, 201L), (70u, 70u, 201L)]);
        all.RunsWithin(29, 31).Length.ShouldBe(2);
        all.RunsWithin(71, 100).IsEmpty.ShouldBeTrue();
        all.Gone.ToString().ShouldBe("25,61:69");
        all.Encode().Length.ShouldBeLessThan(40);
        // One run, whatever is gone in between.
        ViewChanges.Between(view, view.Without(UidSet.Parse("50"), 150).WithFlags([new(@"\Seen", "1:49,51:100", "")], 151, FlagTable.Empty)).RunsWithin(1, 100).Length.ShouldBe(1);
    }

    [Fact]
    public void A_chunk_that_nothing_became_of_stays_itself_and_one_that_is_gone_is_none()
    {
        var chunk = MailboxViewTests.Filled(100).ChunkAt(0);
        chunk.After([]).ShouldBeSameAs(chunk);
        chunk.After([ViewChanges.None]).ShouldBeSameAs(chunk);
        var view = MailboxViewTests.Filled(200);
        chunk.After([ViewChanges.Between(view, view.Without(UidSet.Parse("101:200"), 300))]).ShouldBeSameAs(chunk);
        chunk.After([ViewChanges.Between(view, view.Without(UidSet.Parse("1:50"), 300)), ViewChanges.Between(view, view.Without(UidSet.Parse("40:100"), 300))]).ShouldBeNull();
    }

    [Fact]
    public void Small_neighbours_become_one_chunk()
    {
        var view = MailboxViewTests.Filled(3000);
        var parts = Enumerable.Range(0, 300).Select(i => Chunk.Of([.. Enumerable.Range(i * 10, 10).Select(k => view[k])]));
        var packed = MailboxView.FromParts(parts, view.UidNext, view.HighestModSeq, view.Flags);
        ShouldShowTheSame(packed, view);
        packed.ChunkCount.ShouldBeLessThan(8);
        MailboxView.FromParts([view.ChunkAt(0), view.ChunkAt(1)], view.UidNext, view.HighestModSeq, view.Flags).ChunkAt(1).ShouldBeSameAs(view.ChunkAt(1));
    }

    [Fact]
    public void Damaged_bytes_are_refused_without_an_exception()
    {
        var view = MailboxViewTests.Filled(300);
        var now = view.WithFlags([new(@"\Seen", "5:9,30,77", ""), new("late", "200,299", "")], 400, FlagTable.Empty.With("late")).Without(UidSet.Parse("3,100:120"), 401);
        var good = ViewChanges.Between(view, now).Encode();
        for (var length = 0; length < good.Length; length++)
            ViewChanges.TryDecode(good.AsSpan(0, length), out _).ShouldBeFalse();
        Properties.Hold(
            Arb.From(from at in Gen.Choose(0, good.Length - 1) from value in Gen.Choose(0, 255) select (at, value)),
            change =>
            {
                var bad = good.ToArray();
                bad[change.at] = (byte)change.value;
                if (ViewChanges.TryDecode(bad, out var changes))
                    view.ChunkAt(0).After([changes]);
            },
            tests: 1000);
    }
}
