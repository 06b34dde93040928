using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Past;
using EventMail.Projections.Replaying;
using EventMail.Projections.Tests.Mailboxes;
using EventMail.Testing;

namespace EventMail.Projections.Tests.Past;

public class PictureTests
{
    private const string Account = "aaaaaaaa";

    // 80 copies of 40 messages, flags and gaps: more than three chunks, and a picture at every tenth event.
    private static async Task<(MailNode Node, StreamKey Archive)> FillAsync(TestDatabase database)
    {
        var node = await MailNode.StartAsync(database, projections: [new MailboxPastProjection(every: 10)]);
        await node.AddAccountAsync(Account);
        for (var i = 1; i <= 40; i++)
            await node.ReceiveAsync(i, Account);
        using var inbox = await node.OpenAsync(Account, "INBOX");
        using var archive = await node.OpenAsync(Account, "Archive");
        for (var i = 0; i < 80; i++)
        {
            (await node.Mailboxes.CopyAsync(inbox, UidSet.Parse("1:40"), "Archive", false, MailNode.Someone, "A", default)).Rejection.ShouldBeNull();
            if (i % 10 == 5)
                await node.StoreAsync(archive, $"{i * 40 + 1}:{i * 40 + 9}", StoreMode.Add, @"\Seen", "work");
            // In a chunk that nothing comes to any more.
            if (i > 30 && i % 5 == 2)
                await node.StoreAsync(archive, $"{i}", StoreMode.Add, @"\Flagged");
            if (i % 20 == 15)
                await node.Mailboxes.RemoveAsync(archive, UidSet.OfRange((uint)i * 40 - 3, (uint)i * 40), MailNode.Someone, "A", default);
        }
        await node.Log.Projections.WaitForAsync(MailboxPastProjection.ProjectionName, default);
        return (node, archive.Key);
    }

    private static async Task<long> CountAsync(TestDatabase database, StreamKey key)
    {
        await using var command = database.DataSource.CreateCommand("select count(*) from past_picture where mailbox_id = $1");
        command.Parameters.Add(new() { Value = key.Id });
        return (long)(await command.ExecuteScalarAsync())!;
    }

    [Fact]
    public async Task A_mailbox_is_opened_by_a_picture_and_the_tail_as_the_log_says_it_was()
    {
        await using var database = await MailNode.DatabaseAsync();
        var (node, archive) = await FillAsync(database);
        await using var _ = node;
        var states = new List<MailboxState> { MailboxState.Empty };
        await foreach (var e in node.Log.Reader.ReadStreamAsync(archive))
            states.Add(states[^1].Evolve(e.Data, e.Version, e.Timestamp));

        (await CountAsync(database, archive)).ShouldBe((states.Count - 1) / 10);
        // A message is stored once, and not anew with each picture that shows it.
        await using (var stored = database.DataSource.CreateCommand("select sum(octet_length(changes)), max(array_length(stands_on, 1)), max(nth) from past_picture"))
        await using (var row = await stored.ExecuteReaderAsync())
        {
            (await row.ReadAsync()).ShouldBeTrue();
            row.GetInt64(0).ShouldBeLessThan(1000);
            row.GetInt32(2).ShouldBeGreaterThan(8);
            row.GetInt32(1).ShouldBeLessThanOrEqualTo(3);
        }
        await ShouldBeAsync(new(node.Log), archive, states);
        foreach (var damage in new[]
        {
            "update past_picture set changes = substring(changes from 1 for 3) where version > 60", "update past_picture set came = came[2:] where version = 40",
            "delete from past_picture where nth = 5", "delete from past_picture where nth = 4", "update past_picture set came = array['\\x63'::bytea]", "delete from past_picture", "drop table past_picture",
        })
        {
            await using (var command = database.DataSource.CreateCommand(damage))
                await command.ExecuteNonQueryAsync();
            await ShouldBeAsync(new(node.Log, new() { CachedMessages = 0 }), archive, states);
        }
    }

    private static async Task<string> RowsAsync(TestDatabase database)
    {
        await using var command = database.DataSource.CreateCommand("select string_agg(p::text, chr(10) order by p.mailbox_id, p.version) from past_picture p");
        return (string)(await command.ExecuteScalarAsync())!;
    }

    // Every seventh version, upwards and in between: from a picture, from memory, from the beginning.
    private static async Task ShouldBeAsync(PastMailboxes past, StreamKey mailbox, List<MailboxState> states)
    {
        foreach (var version in Enumerable.Range(0, states.Count).OrderBy(v => v % 7))
            if (version % 7 is 0 or 3)
                (await past.OpenAsync(mailbox, version, default)).View!.ShouldShow(states[version].View!);
    }

    [Fact]
    public async Task A_replay_that_begins_at_pictures_comes_to_what_one_from_the_first_event_does()
    {
        await using var database = await MailNode.DatabaseAsync();
        var (node, archive) = await FillAsync(database);
        await using var _ = node;
        var events = await node.Log.Reader.ReadStreamAsync(archive).ToListAsync();
        var (fold, quick) = (new StreamReplay(node.Log, null), new StreamReplay(node.Log, new PastMailboxes(node.Log, new() { CachedMessages = 0 })));
        foreach (var e in events.Where((_, i) => i % 9 == 4).Append(events[^1]))
        {
            ReplayPoint[] points = [new(null, e.Sequence), new(null, e.Sequence - 1), new(e.Timestamp, null), new(e.Timestamp.AddMicroseconds(-1), null), new(null, null)];
            foreach (var point in points)
            {
                var (slow, state) = (await fold.AtAsync(archive, point, default), await quick.AtAsync(archive, point, default));
                state.View!.ShouldShow(slow.View!);
                (state with { View = null, Flags = slow.Flags, Acl = slow.Acl }).ShouldBe(slow with { View = null });
                (await fold.HeaderAtAsync(archive, point, default) with { Flags = slow.Flags, Acl = slow.Acl }).ShouldBe(slow with { View = null });
                (await fold.NameAtAsync(archive, point, default)).ShouldBe(slow.Exists ? slow.Name : null);
                if (point.Sequence == e.Sequence)
                    state.Version.ShouldBe(e.Version);
            }
        }
        var last = new ReplayedMailbox("a", archive, await quick.AtAsync(archive, new(null, null), default));
        var messages = await new ReplayedMessages(node.Log, quick).OfAsync(last, default);
        messages.Select(message => message.Row.Uid).ShouldBe(last.State.View!.UidsAt(0, last.State.View!.Count).ToArray());
        // Copies: what brought them is in the inbox's stream.
        messages.ShouldAllBe(message => message.MessageId != null);
    }

    [Fact]
    public async Task Pictures_that_were_thrown_away_are_made_again()
    {
        await using var database = await MailNode.DatabaseAsync();
        var (node, archive) = await FillAsync(database);
        var before = await RowsAsync(database);
        await node.DisposeAsync();
        await using (var drop = database.DataSource.CreateCommand("drop table past_picture"))
            await drop.ExecuteNonQueryAsync();
        await using var again = await MailNode.StartAsync(database, projections: [new MailboxPastProjection(every: 10)]);
        await again.Log.Projections.WaitForAsync(MailboxPastProjection.ProjectionName, default);
        (await RowsAsync(database)).ShouldBe(before);
    }

    [Fact]
    public async Task Pictures_that_were_left_out_for_a_damaged_event_come_by_themselves_when_it_is_repaired()
    {
        await using var database = await MailNode.DatabaseAsync();
        var (node, archive) = await FillAsync(database);
        var before = await RowsAsync(database);
        var pictures = await CountAsync(database, archive);
        // Behind the second picture, in the log since long: it is not in any page that the pictures to come are made of.
        var data = await ScalarAsync<string>(database, $"select data::text from mt_events where stream_id = '{archive.Id}' and version = 23");
        await ScalarAsync<object?>(database, $"""
            update mt_events set data = '[]' where stream_id = '{archive.Id}' and version = 23;
            delete from past_picture where mailbox_id = '{archive.Id}' and version > 20;
            update mt_event_progression set last_seq_id = (select seq_id from mt_events where stream_id = '{archive.Id}' and version = 25) where name like 'MailboxPast:%'
            """);
        await node.DisposeAsync();

        await using var again = await MailNode.StartAsync(database, projections: [new MailboxPastProjection(every: 10)]);
        await again.Log.Projections.WaitForAsync(MailboxPastProjection.ProjectionName, default);
        (await CountAsync(database, archive)).ShouldBe(2);
        (await ScalarAsync<long>(database, "select count(*) from eventmail.skipped_event")).ShouldBe(1);
        await Waiting.UntilAsync(() => again.Log.Quarantine.Holds(archive));

        await ScalarAsync<object?>(database, $"update mt_events set data = '{data.Replace("'", "''")}' where stream_id = '{archive.Id}' and version = 23");
        await Waiting.UntilAsync(async () => await CountAsync(database, archive) == pictures);
        (await RowsAsync(database)).ShouldBe(before);
        await Waiting.UntilAsync(async () => await ScalarAsync<long>(database, "select count(*) from eventmail.skipped_event") == 0);
    }

    private static async Task<T> ScalarAsync<T>(TestDatabase database, string sql)
    {
        await using var command = database.DataSource.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    [Fact]
    public void What_is_kept_in_memory_is_bounded_and_the_nearest_before()
    {
        var views = new PastViews(messages: 5_000);
        var (one, other) = (new StreamKey("a", Guid.NewGuid()), new StreamKey("a", Guid.NewGuid()));
        foreach (var version in new[] { 10, 20, 30 })
            views.Put(one, MailboxState.Empty with { Version = version });
        views.TryGet(one, 29, out var near).ShouldBeTrue();
        near!.Version.ShouldBe(20);
        views.TryGet(one, 9, out _).ShouldBeFalse();
        views.TryGet(other, 30, out _).ShouldBeFalse();
        // Each counts as a thousand messages and its own.
        views.Put(other, MailboxState.Empty with { Version = 1, Messages = 2_500 });
        views.TryGet(one, 10, out _).ShouldBeFalse();
        views.TryGet(one, 20, out _).ShouldBeTrue();
        views.TryGet(other, 1, out _).ShouldBeTrue();
    }
}
