using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;
using static EventMail.Projections.Tests.Mailboxes.Comparisons;

namespace EventMail.Projections.Tests.Mailboxes;

/// <summary>RFC 7162 VANISHED (EARLIER): exactly what went since a MODSEQ, however long ago that was.</summary>
public class VanishedTests
{
    private const string Account = "aaaaaaaa";

    private static readonly MailboxOptions Eager = new()
    {
        SnapshotEvents = 100,
        SnapshotQuietEvents = 1,
        SnapshotQuiet = TimeSpan.FromMilliseconds(100),
        RecentClaimDelay = TimeSpan.FromMilliseconds(20),
    };

    [Fact]
    public async Task After_thousands_of_expunges_a_snapshot_and_a_restart_exactly_what_went_since_is_told()
    {
        await using var database = await MailNode.DatabaseAsync();
        var went = new SortedDictionary<long, UidSet>();
        var random = new Random(7);
        await using (var node = await MailNode.StartAsync(database, Eager))
        {
            await node.AddAccountAsync(Account);
            for (var i = 1; i <= 20; i++)
                await node.ReceiveAsync(i, Account);
            using var inbox = await node.OpenAsync(Account, "INBOX");
            using var archive = await node.OpenAsync(Account, "Archive");
            for (var round = 0; archive.View.UidNext < 6000; round++)
            {
                (await node.Mailboxes.CopyAsync(inbox, UidSet.OfRange(1, 20), "Archive", false, MailNode.Someone, "A", default)).Rejection.ShouldBeNull();
                await ExpungeSomeAsync(node, archive, random, went);
                await ExpungeSomeAsync(node, archive, random, went);
                if (round % 10 == 0)
                    await node.StoreAsync(archive, "1:*".Replace("*", $"{archive.View.UidNext}", StringComparison.Ordinal), StoreMode.Add, @"\Flagged");
            }

            await ShouldBecomeAsync(() => node.Mailboxes.Snapshots.Written >= 2);
        }

        went.Values.Sum(uids => uids.Count).ShouldBeGreaterThan(2000);
        await using (var node = await MailNode.StartAsync(database))
        {
            using var archive = await node.OpenAsync(Account, "Archive");
            var all = UidSet.OfRange(1, uint.MaxValue);
            for (var modSeq = 0L; modSeq <= archive.View.HighestModSeq + 1; modSeq += 7)
            {
                var expected = UidSet.FromRanges(went.Where(e => e.Key > modSeq).SelectMany(e => e.Value.Ranges.ToArray()));
                (await VanishedAsync(node, archive, all, modSeq)).ShouldBe(expected, $"since {modSeq}");
            }

            var among = UidSet.Parse("5:900,1500,3000:4000,99999");
            var since = went.Keys.ElementAt(went.Count / 2);
            (await VanishedAsync(node, archive, among, since))
                .ShouldBe(UidSet.FromRanges(went.Where(e => e.Key > since).SelectMany(e => e.Value.Ranges.ToArray())).Intersect(among));
        }
    }

    [Fact]
    public async Task A_view_that_lags_tells_nothing_that_is_later_than_itself()
    {
        await using var database = await MailNode.DatabaseAsync();
        await using var node = await MailNode.StartAsync(database);
        await node.AddAccountAsync(Account);
        for (var i = 1; i <= 4; i++)
            await node.ReceiveAsync(i, Account);
        using var inbox = await node.OpenAsync(Account, "INBOX");
        var start = inbox.View.HighestModSeq;
        await node.Mailboxes.RemoveAsync(inbox, UidSet.Of(2), MailNode.Someone, "A", default);
        var between = inbox.View;
        await node.Mailboxes.RemoveAsync(inbox, UidSet.Of(3), MailNode.Someone, "A", default);
        var all = UidSet.OfRange(1, 4);
        (await node.Mailboxes.VanishedAsync(inbox, between, all, start, default)).ShouldBe(UidSet.Of(2));
        (await node.Mailboxes.VanishedAsync(inbox, inbox.View, all, start, default)).ShouldBe(UidSet.OfRange(2, 3));
        (await node.Mailboxes.VanishedAsync(inbox, inbox.View, all, between.HighestModSeq, default)).ShouldBe(UidSet.Of(3));
        (await node.Mailboxes.VanishedAsync(inbox, inbox.View, all, long.MaxValue, default)).ShouldBe(UidSet.Empty);
    }

    private static Task<UidSet> VanishedAsync(MailNode node, OpenMailbox mailbox, UidSet among, long modSeq) =>
        node.Mailboxes.VanishedAsync(mailbox, mailbox.View, among, modSeq, default);

    private static async Task ExpungeSomeAsync(MailNode node, OpenMailbox mailbox, Random random, SortedDictionary<long, UidSet> went)
    {
        var uids = UidSet.From(Enumerable.Range(0, 8).Select(_ => (uint)random.Next(1, (int)mailbox.View.UidNext)));
        var gone = await node.Mailboxes.RemoveAsync(mailbox, uids, MailNode.Someone, "A", default);
        gone.Rejection.ShouldBeNull();
        // Nobody else writes here but the claim of \Recent, which this mailbox's only session makes none of.
        if (!gone.Value!.IsEmpty)
            went.Add(mailbox.View.HighestModSeq, gone.Value);
    }

    // docs/events.md has an example of every event; another test sees to that.
    [Fact]
    public void Every_event_that_takes_messages_away_is_read_for_what_went()
    {
        var types = new EventTypeMap().RegisterMailboxEvents();
        var full = Full();
        var removing = new List<string>();
        foreach (var alias in types.Aliases)
        {
            var e = types.Read(alias, EventsDocumentTests.ExampleOf(alias));
            // What brings messages does so above UIDNEXT.
            var before = e is MessageReceived or MessageAppended or MessagesCopiedIn or MessagesRestored ? MailboxState.Empty with { View = MailboxView.Empty } : full;
            if (before.Evolve(e, before.Version + 1, default).View!.Count < before.View!.Count)
                removing.Add(alias);
        }

        removing.ShouldNotBeEmpty();
        removing.ShouldBe(MailboxEventTypes.Removing, ignoreOrder: true);
    }

    [Fact]
    public void Every_event_that_touches_messages_is_read_for_what_it_touched()
    {
        var types = new EventTypeMap().RegisterMailboxEvents();
        var full = Full();
        foreach (var alias in types.Aliases)
        {
            var e = types.Read(alias, EventsDocumentTests.ExampleOf(alias));
            var before = e is MessageReceived or MessageAppended or MessagesCopiedIn or MessagesRestored ? MailboxState.Empty with { View = MailboxView.Empty } : full;
            var after = before.Evolve(e, before.Version + 1, default).View!;
            var touched = UidSet.Empty;
            foreach (var slice in after.Slices())
            {
                for (var i = 0; i < slice.Length; i++)
                {
                    if (slice.ModSeqs[i] > before.Version)
                        touched = touched.Union(UidSet.Of(slice.Uids[i]));
                }
            }

            string[] flags = e is FlagsChanged changed ? [.. changed.Changes.Select(change => change.Flag)] : [];
            MailboxHistory.Touched(e, flags).ShouldBe(touched, alias);
        }
    }

    private static MailboxState Full()
    {
        var full = MailboxState.Empty.Evolve(new MailboxCreated("a", 1, null), 1, default) with { View = MailboxView.Empty };
        for (uint uid = 1; uid <= 1000; uid++)
            full = full.Evolve(new MessageAppended(uid, new(uid, "", 1), default, [], null), uid + 1, default);
        return full;
    }
}
