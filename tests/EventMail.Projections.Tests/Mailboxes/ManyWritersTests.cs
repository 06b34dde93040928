using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;
using EventMail.Testing;
using static EventMail.Projections.Tests.Mailboxes.Comparisons;

namespace EventMail.Projections.Tests.Mailboxes;

public class ManyWritersTests
{
    private static readonly string[] Accounts = ["aaaaaaaa", "bbbbbbbb"];
    private static readonly string[] Names = ["INBOX", "Trash", "Archive"];
    private static readonly string[] Flags = [@"\Seen", @"\Deleted", @"\Flagged", "work", "$Junk"];

    [Fact]
    public async Task Every_row_equals_a_fold_of_the_log_after_random_commands_of_many_writers()
    {
        await using var database = await MailNode.DatabaseAsync();
        await using var node = await MailNode.StartAsync(database, new() { SnapshotEvents = 20 });
        foreach (var account in Accounts)
            await node.AddAccountAsync(account);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(writer => WriteAsync(node, writer, 60)));
        await ShouldEqualFoldsAsync(node, database);
    }

    [Fact]
    public async Task Two_nodes_on_one_database_write_to_the_same_mailboxes()
    {
        await using var database = await MailNode.DatabaseAsync();
        await using var one = await MailNode.StartAsync(database, new() { SnapshotEvents = 20 });
        foreach (var account in Accounts)
            await one.AddAccountAsync(account);
        await using var two = await MailNode.StartAsync(database, new() { SnapshotEvents = 30 });
        await Task.WhenAll(Enumerable.Range(0, 6).Select(writer => WriteAsync(writer % 2 == 0 ? one : two, writer, 40)));
        await ShouldEqualFoldsAsync(one, database);
        await ShouldEqualFoldsAsync(two, database);
    }

    [Fact]
    public async Task Views_that_the_cache_cannot_hold_stay_right()
    {
        await using var database = await MailNode.DatabaseAsync();
        await using var node = await MailNode.StartAsync(database, new() { SnapshotEvents = 20 }, cacheWeight: 3);
        foreach (var account in Accounts)
            await node.AddAccountAsync(account);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(writer => WriteAsync(node, writer, 40)));
        await ShouldEqualFoldsAsync(node, database);
    }

    private static async Task WriteAsync(MailNode node, int writer, int steps)
    {
        var random = new Random(writer);
        for (var i = 0; i < steps; i++)
        {
            var account = Accounts[random.Next(Accounts.Length)];
            var name = Names[random.Next(Names.Length)];
            var number = writer * 1000 + i;
            switch (random.Next(10))
            {
                case 0 or 1 or 2:
                    await node.ReceiveAsync(number, random.Next(3) == 0 ? Accounts : [account]);
                    break;
                case 3:
                    await node.AppendAsync(account, name, number, Flags[random.Next(Flags.Length)]);
                    break;
                case 4:
                    await node.Mailboxes.CreateAsync(account, $"new/{number}", null, MailNode.Someone, "A", default);
                    break;
                case 5:
                    await node.Mailboxes.RenameAsync(account, $"new/{writer * 1000 + random.Next(steps)}", $"moved/{number}", MailNode.Someone, "A", default);
                    break;
                default:
                    await ChangeAsync(node, account, name, random);
                    break;
            }
        }
    }

    private static async Task ChangeAsync(MailNode node, string account, string name, Random random)
    {
        using var mailbox = await node.OpenAsync(account, name);
        var first = (uint)random.Next(1, (int)mailbox.View.UidNext + 1);
        var uids = UidSet.OfRange(first, first + (uint)random.Next(5));
        switch (random.Next(6))
        {
            case 0:
                await node.Mailboxes.ExpungeAsync(mailbox, null, MailNode.Someone, "A", default);
                break;
            case 1 or 2:
                var copied = await node.Mailboxes.CopyAsync(
                    mailbox, uids, Names[random.Next(Names.Length)], random.Next(2) == 0, MailNode.Someone, "A", default);
                copied.Rejection.ShouldBeNull();
                break;
            default:
                await node.StoreAsync(mailbox, uids.ToString(), (StoreMode)random.Next(3), Flags[random.Next(Flags.Length)]);
                break;
        }
    }

    private static async Task ShouldEqualFoldsAsync(MailNode node, TestDatabase database)
    {
        var keys = new List<StreamKey>();
        await using (var command = database.DataSource.CreateCommand("select tenant_id, id from mt_streams where type = 'mailbox'"))
        await using (var reader = await command.ExecuteReaderAsync())
        {
            while (await reader.ReadAsync())
                keys.Add(new(reader.GetString(0), reader.GetGuid(1)));
        }
        keys.Count.ShouldBeGreaterThan(12);
        await using var connection = await database.DataSource.OpenConnectionAsync();
        var rows = (await MailboxRows.LoadAsync(connection, keys, default)).ToDictionary(r => r.Key, r => r.State);
        foreach (var key in keys)
        {
            var folded = await node.FoldAsync(key);
            var row = rows[key];
            (row with { View = null, Flags = folded.Flags }).ShouldBe(folded with { View = null });
            row.Flags.Keywords.ShouldBe(folded.Flags.Keywords);
            var live = await node.Mailboxes.OpenAsync(key.Tenant, folded.Name, default);
            using var open = live.Value!;
            open.View.ShouldShow(folded.View!);
            var persisted = await MailboxSnapshotRows.LoadAsync(connection, key, default);
            if (persisted is not null)
            {
                var then = MailboxState.Empty;
                await foreach (var e in node.Log.Reader.ReadStreamAsync(key, toVersion: persisted.Version))
                    then = then.Evolve(e.Data, e.Version, e.Timestamp);
                persisted.View!.ShouldShow(then.View!);
            }
        }
        await ShouldHaveSummariesAsync(node, database);
    }

    private static async Task ShouldHaveSummariesAsync(MailNode node, TestDatabase database)
    {
        await using var command = database.DataSource.CreateCommand(
            "select c.number, s.data from eventmail.content c left join projections.message_summary s using (number)");
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            await using var content = await node.Log.Contents.ReadAsync(reader.GetInt64(0));
            content.TryGetMemory(out var bytes).ShouldBeTrue();
            var derived = MessageSummary.Of(EventMail.Domain.Messages.MessageReader.Read(bytes.Span));
            reader.GetFieldValue<byte[]>(1).ShouldBe(derived.Data);
        }
    }
}
