using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;
using EventMail.Testing;
using static EventMail.Projections.Tests.Mailboxes.Comparisons;

namespace EventMail.Projections.Tests.Mailboxes;

public class SnapshotTests
{
    private const string Account = "aaaaaaaa";

    private static readonly MailboxOptions Eager = new() { SnapshotEvents = 10, SnapshotQuietEvents = 1, SnapshotQuiet = TimeSpan.FromMilliseconds(100) };

    private static async Task<(long Version, int Segments)> PersistedAsync(TestDatabase database, StreamKey key)
    {
        await using var command = database.DataSource.CreateCommand("""
            select coalesce((select version from projections.mailbox_snapshot where mailbox_id = $1), 0),
              (select count(*)::int from projections.mailbox_segment where mailbox_id = $1)
            """);
        command.Parameters.Add(new() { Value = key.Id });
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        return (reader.GetInt64(0), reader.GetInt32(1));
    }

    private static async Task ExecuteAsync(TestDatabase database, string sql)
    {
        await using var command = database.DataSource.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<long> VersionAsync(MailNode node, StreamKey key) =>
        (await node.Log.Executor.StateAsync(MailboxKind.Stream(key), default)).Version;

    private static async Task ShouldBePersistedAsync(MailNode node, TestDatabase database, StreamKey key)
    {
        var version = await VersionAsync(node, key);
        await Waiting.UntilAsync(async () => (await PersistedAsync(database, key)).Version >= version);
        (await PersistedAsync(database, key)).Version.ShouldBe(version);
    }

    [Fact]
    public async Task A_mailbox_that_nobody_opens_is_persisted_after_SnapshotEvents_events()
    {
        await using var database = await MailNode.DatabaseAsync();
        await using var node = await MailNode.StartAsync(database, new() { SnapshotEvents = 10 });
        var inbox = (await node.AddAccountAsync(Account)).Inbox;
        for (var i = 1; i <= 25; i++)
            await node.ReceiveAsync(i, Account);
        await ShouldBecomeAsync(() => node.Mailboxes.Snapshots.Written >= 1);
        (await PersistedAsync(database, inbox)).Version.ShouldBeInRange(10, 26);
    }

    [Fact]
    public async Task A_view_read_from_segments_and_tail_is_the_fold_of_the_log()
    {
        await using var database = await MailNode.DatabaseAsync();
        StreamKey key;
        await using (var node = await MailNode.StartAsync(database, Eager))
        {
            key = (await node.AddAccountAsync(Account)).Inbox;
            for (var i = 1; i <= 30; i++)
                await node.ReceiveAsync(i, Account);
            using var inbox = await node.OpenAsync(Account, "INBOX");
            await node.StoreAsync(inbox, "1:9", StoreMode.Add, @"\Seen", "work");
            await ShouldBePersistedAsync(node, database, key);
        }
        // What comes now is not persisted.
        await using (var node = await MailNode.StartAsync(database))
        {
            using var inbox = await node.OpenAsync(Account, "INBOX");
            inbox.View.ShouldShow((await node.FoldAsync(key)).View!);
            await node.StoreAsync(inbox, "5:20", StoreMode.Replace, @"\Deleted", "later");
            await node.Mailboxes.ExpungeAsync(inbox, UidSet.Parse("6:12"), MailNode.Someone, "A", default);
            await node.ReceiveAsync(31, Account);
        }
        await using (var node = await MailNode.StartAsync(database))
        {
            var persisted = (await PersistedAsync(database, key)).Version;
            persisted.ShouldBeLessThan(await VersionAsync(node, key));
            using var inbox = await node.OpenAsync(Account, "INBOX");
            inbox.View.ShouldShow((await node.FoldAsync(key)).View!);
            inbox.View.Count.ShouldBe(24);
        }
    }

    [Fact]
    public async Task A_segment_of_an_older_format_is_folded_from_the_log_and_stored_anew()
    {
        await using var database = await MailNode.DatabaseAsync();
        StreamKey key;
        await using (var node = await MailNode.StartAsync(database, Eager))
        {
            key = (await node.AddAccountAsync(Account)).Inbox;
            for (var i = 1; i <= 20; i++)
                await node.ReceiveAsync(i, Account);
            await ShouldBePersistedAsync(node, database, key);
        }
        await ExecuteAsync(database, "update projections.mailbox_segment set columns = set_byte(columns, 0, 1)");
        await using (var node = await MailNode.StartAsync(database, Eager))
        {
            using var inbox = await node.OpenAsync(Account, "INBOX");
            inbox.View.ShouldShow((await node.FoldAsync(key)).View!);
            inbox.View[0].SaveDate.ShouldBeGreaterThan(1_700_000_000u);
            await ShouldBecomeAsync(() => node.Mailboxes.Snapshots.Written >= 1);
        }
        await using var command = database.DataSource.CreateCommand("select get_byte(columns, 0) from projections.mailbox_segment");
        (await command.ExecuteScalarAsync()).ShouldBe(2);
    }

    [Fact]
    public async Task Only_segments_that_changed_are_written()
    {
        await using var database = await MailNode.DatabaseAsync();
        await using var node = await MailNode.StartAsync(database, Eager);
        var mailboxes = await node.AddAccountAsync(Account);
        var source = await node.OpenAsync(Account, "INBOX");
        for (var i = 1; i <= 40; i++)
            await node.ReceiveAsync(i, Account);
        using var archive = await node.OpenAsync(Account, "Archive");
        for (var i = 0; i < 80; i++)
            (await node.Mailboxes.CopyAsync(source, UidSet.Parse("1:40"), "Archive", false, MailNode.Someone, "A", default)).Rejection.ShouldBeNull();
        archive.View.Count.ShouldBe(3200);
        await ShouldBePersistedAsync(node, database, archive.Key);
        (await PersistedAsync(database, archive.Key)).Segments.ShouldBe(archive.View.ChunkCount);

        var before = await RowsAsync(database, archive.Key);
        await node.StoreAsync(archive, "2000", StoreMode.Add, @"\Seen");
        await ShouldBePersistedAsync(node, database, archive.Key);
        var after = await RowsAsync(database, archive.Key);
        after.Count(pair => before[pair.Key] != pair.Value).ShouldBe(1);

        // A chunk that is gone takes its segment along.
        await node.Mailboxes.RemoveAsync(archive, UidSet.OfRange(1, 1500), MailNode.Someone, "A", default);
        await ShouldBePersistedAsync(node, database, archive.Key);
        (await PersistedAsync(database, archive.Key)).Segments.ShouldBe(archive.View.ChunkCount);
        await using var connection = await database.DataSource.OpenConnectionAsync();
        (await MailboxSnapshotRows.LoadAsync(connection, archive.Key, default))!.View!.ShouldShow(archive.View);
        source.Dispose();
    }

    /// <summary>Each segment's row version.</summary>
    private static async Task<Dictionary<long, string>> RowsAsync(TestDatabase database, StreamKey key)
    {
        await using var command = database.DataSource.CreateCommand(
            "select first_uid, ctid::text || xmin::text from projections.mailbox_segment where mailbox_id = $1");
        command.Parameters.Add(new() { Value = key.Id });
        var rows = new Dictionary<long, string>();
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
            rows.Add(reader.GetInt64(0), reader.GetString(1));
        return rows;
    }

    [Theory]
    [InlineData("update projections.mailbox_segment set columns = substring(columns from 1 for 20)")]
    [InlineData("update projections.mailbox_segment set columns = '\\x63'")]
    [InlineData("delete from projections.mailbox_segment")]
    [InlineData("delete from projections.mailbox_snapshot")]
    [InlineData("drop table projections.mailbox_snapshot, projections.mailbox_segment")]
    [InlineData("drop schema projections cascade")]
    public async Task Damaged_or_missing_segments_are_no_loss(string damage)
    {
        await using var database = await MailNode.DatabaseAsync();
        StreamKey key;
        await using (var node = await MailNode.StartAsync(database, Eager))
        {
            key = (await node.AddAccountAsync(Account)).Inbox;
            for (var i = 1; i <= 15; i++)
                await node.ReceiveAsync(i, Account);
            await ShouldBePersistedAsync(node, database, key);
        }
        await ExecuteAsync(database, damage);
        await using (var node = await MailNode.StartAsync(database, Eager))
        {
            using var inbox = await node.OpenAsync(Account, "INBOX");
            inbox.View.ShouldShow((await node.FoldAsync(key)).View!);
            (await node.Mailboxes.ListAsync(Account, default)).Count.ShouldBe(6);
            await node.ReceiveAsync(16, Account);
            await ShouldBePersistedAsync(node, database, key);
            await using var connection = await database.DataSource.OpenConnectionAsync();
            (await MailboxSnapshotRows.LoadAsync(connection, key, default))!.View!.ShouldShow(inbox.View);
        }
    }

    [Fact]
    public async Task Two_nodes_persist_the_same_mailbox_one_after_the_other()
    {
        await using var database = await MailNode.DatabaseAsync();
        await using var one = await MailNode.StartAsync(database, Eager);
        var key = (await one.AddAccountAsync(Account)).Inbox;
        await using var two = await MailNode.StartAsync(database, Eager);
        for (var i = 1; i <= 10; i++)
        {
            var node = i % 2 == 0 ? one : two;
            await node.ReceiveAsync(i, Account);
            await ShouldBePersistedAsync(node, database, key);
            await using var connection = await database.DataSource.OpenConnectionAsync();
            (await MailboxSnapshotRows.LoadAsync(connection, key, default))!.View!.ShouldShow((await node.FoldAsync(key)).View!);
        }
    }

    [Fact]
    public async Task A_deleted_mailboxs_segments_are_removed()
    {
        await using var database = await MailNode.DatabaseAsync();
        await using var node = await MailNode.StartAsync(database, Eager);
        await node.AddAccountAsync(Account);
        for (var i = 1; i <= 12; i++)
            await node.AppendAsync(Account, "Trash", i);
        using var trash = await node.OpenAsync(Account, "Trash");
        await ShouldBePersistedAsync(node, database, trash.Key);
        await node.Mailboxes.DeleteAsync(Account, "Trash", MailNode.Someone, "A", default);
        await Waiting.UntilAsync(async () => (await PersistedAsync(database, trash.Key)).Version == 0);
        (await PersistedAsync(database, trash.Key)).ShouldBe((0, 0));
    }

    [Fact]
    public async Task Rows_that_another_application_left_behind_are_caught_up_from_the_log()
    {
        await using var database = await MailNode.DatabaseAsync();
        StreamKey key;
        await using (var node = await MailNode.StartAsync(database))
        {
            key = (await node.AddAccountAsync(Account)).Inbox;
            for (var i = 1; i <= 5; i++)
                await node.ReceiveAsync(i, Account);
        }
        await ExecuteAsync(database, "update projections.mailbox set version = 2, uid_next = 2, messages = 1 where version = 6");
        await using (var node = await MailNode.StartAsync(database))
            (await node.ReceiveAsync(6, Account)).Single().Uid.ShouldBe(6u);
    }
}
