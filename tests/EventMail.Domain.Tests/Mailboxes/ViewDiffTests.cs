using EventMail.Domain.Mailboxes;
using Row = (uint Uid, string Flags, long ModSeq);

namespace EventMail.Domain.Tests.Mailboxes;

public class ViewDiffTests
{
    /// <summary>An IMAP client that believes what it is told.</summary>
    private sealed class Client
    {
        private readonly List<Row> _messages = [];

        public MailboxView Known { get; private set; } = MailboxView.Empty;

        /// <summary>After IDLE or NOOP, say.</summary>
        public void Synchronise(MailboxView current)
        {
            Apply(MailboxView.Diff(Known, current), current);
            Known = current;
        }

        /// <summary>After FETCH, STORE or SEARCH: nothing that shifts sequence numbers.</summary>
        public void SynchroniseWithoutExpunge(MailboxView current)
        {
            var kept = MailboxView.KeepExpunged(Known, current);
            var diff = MailboxView.Diff(Known, kept);
            diff.Expunges.ShouldBeEmpty();
            Apply(diff, kept);
            Known = kept;
        }

        private void Apply(ViewDiff diff, MailboxView now)
        {
            var before = _messages.Select(m => m.Uid).ToList();
            foreach (var number in diff.Expunges)
                _messages.RemoveAt(number - 1);
            before.Except(_messages.Select(m => m.Uid)).ShouldBe(diff.Vanished.ToArray());
            _messages.Count.ShouldBe(diff.Count - diff.Added);
            for (var i = diff.Count - diff.Added; i < diff.Count; i++)
                _messages.Add(Told(now, i));
            foreach (var run in diff.Changed)
            {
                for (var i = 0; i < run.Count; i++)
                {
                    _messages[run.Index + i].Uid.ShouldBe(now[run.Index + i].Uid);
                    before[run.OldIndex + i].ShouldBe(now[run.Index + i].Uid);
                    _messages[run.Index + i] = Told(now, run.Index + i);
                }
            }
            ShouldKnow(now);
        }

        private void ShouldKnow(MailboxView now)
        {
            _messages.Count.ShouldBe(now.Count);
            for (var i = 0; i < now.Count; i++)
            {
                if (_messages[i] != Told(now, i))
                    throw new ShouldAssertException($"the client believes {_messages[i]} where {Told(now, i)} is");
            }
        }

        private static Row Told(MailboxView view, int i)
        {
            var row = view[i];
            var flags = Enumerable.Range(0, view.Flags.Count).Where(bit => (row.Flags >> bit & 1) == 1).Select(view.Flags.NameOf);
            return (row.Uid, string.Join(' ', flags), row.ModSeq);
        }
    }

    [Fact]
    public void A_client_that_is_told_the_differences_knows_the_mailbox() => Walk(scale: 40, tests: 200, size: 100);

    [Fact]
    public void A_client_that_is_told_the_differences_knows_a_large_mailbox() => Walk(scale: 2500, tests: 40, size: 40);

    private static void Walk(int scale, int tests, int size) => Properties.Hold(Properties.Steps, steps =>
    {
        var walk = new MailboxWalk(scale);
        var client = new Client();
        foreach (var step in steps)
        {
            walk.Take(step);
            switch (step.A % 5)
            {
                case 0 or 1:
                    client.SynchroniseWithoutExpunge(walk.View);
                    break;
                case 2:
                    client.Synchronise(walk.View);
                    break;
            }
        }
        client.Synchronise(walk.View);
    }, tests, size);

    [Fact]
    public void Kept_messages_are_where_the_client_has_them() => Properties.Hold(Properties.Steps, steps =>
    {
        var walk = new MailboxWalk(scale: 50);
        var known = walk.View;
        foreach (var step in steps)
        {
            walk.Take(step);
            var kept = MailboxView.KeepExpunged(known, walk.View);
            var expected = known.UidsAt(0, known.Count).Union(walk.View.UidsAt(0, walk.View.Count));
            kept.UidsAt(0, kept.Count).ShouldBe(expected);
            kept.HighestModSeq.ShouldBe(walk.View.HighestModSeq);
            kept.Unseen.ShouldBe((int)kept.UidsWhere(0, SystemFlags.Seen).Count);
            known = kept;
        }
    }, tests: 100);

    [Fact]
    public void Of_some_messages_only_they_are_taken() => Properties.Hold(Properties.Steps, steps =>
    {
        var walk = new MailboxWalk(scale: 50);
        var (known, odd) = (walk.View, UidSet.Parse("1:9,11,13,15,40:60,90:300"));
        foreach (var step in steps)
        {
            walk.Take(step);
            var (before, now) = (known, walk.View);
            known = MailboxView.TakeOnly(before, now, odd);
            if (MailboxView.Diff(before, now) is { Added: 0 } diff && diff.Vanished.Except(odd).IsEmpty && MailboxView.Diff(known, now).IsEmpty)
            {
                known.ShouldBeSameAs(now);
                continue;
            }
            known.HighestModSeq.ShouldBe(before.HighestModSeq);
            known.UidNext.ShouldBe(before.UidNext);
            var expected = before.UidsAt(0, before.Count).Except(odd.Except(now.Existing(odd)));
            known.UidsAt(0, known.Count).ShouldBe(expected);
            for (var i = 0; i < known.Count; i++)
            {
                var uid = known[i].Uid;
                var source = odd.Contains(uid) ? now : before;
                known[i].ShouldBe(source[source.IndexOf(uid)]);
            }
        }
        MailboxView.Diff(known, walk.View).Count.ShouldBe(walk.View.Count);
    }, tests: 100);

    [Fact]
    public void Expunges_are_told_from_the_highest_down()
    {
        var view = MailboxViewTests.Filled(5);
        var diff = MailboxView.Diff(view, view.Without(UidSet.Parse("2,4:5"), 6));
        diff.Expunges.ShouldBe([5, 4, 2]);
        diff.Vanished.ToString().ShouldBe("2,4:5");
        diff.Added.ShouldBe(0);
        diff.Count.ShouldBe(2);
    }

    [Fact]
    public void The_same_view_has_no_difference()
    {
        var view = MailboxViewTests.Filled(3000);
        MailboxView.Diff(view, view).IsEmpty.ShouldBeTrue();
        MailboxView.Diff(view, view.At(9999)).IsEmpty.ShouldBeTrue();
        MailboxView.KeepExpunged(view, view).ShouldBeSameAs(view);
    }
}
