using System.Text;
using EventMail.Domain;
using EventMail.Domain.Mailboxes;
using EventMail.Domain.Metadata;
using EventMail.Projections.Metadata;
using EventMail.Projections.Tests.Mailboxes;
using EventMail.Testing;
using Npgsql;
using Shouldly;
using static EventMail.Projections.Tests.Mailboxes.Comparisons;

namespace EventMail.Projections.Tests;

/// <summary>Annotations over rebuilds and nodes, and their limits.</summary>
public sealed class MetadataTests
{
    private const string Account = "aaaaaaaa";
    private const string Other = "bbbbbbbb";
    private const string Rows = "select coalesce(string_agg(m::text, '|' order by id), '') from projections.metadata m";

    private static async Task<Rejection?> SetAsync(MetadataService metadata, string mailbox, string entry, string? value, string account = Account) =>
        (await metadata.SetAsync(account, false, mailbox, [(entry, value is null ? null : Encoding.UTF8.GetBytes(value))], MailNode.Someone, "A", default))
            .Rejection;

    private static async Task<string> GetAsync(MetadataService metadata, string mailbox, string account = Account) =>
        string.Join(' ', (await metadata.GetAsync(account, mailbox, default)).Value!.Select(v => $"{v.Entry}={Encoding.UTF8.GetString(v.Value)}"));

    private static async Task<T> ScalarAsync<T>(TestDatabase database, string sql)
    {
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        await using var command = source.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    [Fact]
    public async Task Rows_that_were_dropped_come_back_from_the_log_as_they_were()
    {
        await using var database = await MailNode.DatabaseAsync();
        string live;
        await using (var node = await MailNode.StartAsync(database))
        {
            await node.AddAccountAsync(Account);
            using var metadata = new MetadataService(node.Log, node.Mailboxes, null);
            (await SetAsync(metadata, "INBOX", "/private/comment", "one")).ShouldBeNull();
            (await SetAsync(metadata, "INBOX", "/private/comment", "two")).ShouldBeNull();
            (await SetAsync(metadata, "INBOX", "/shared/comment", "gone")).ShouldBeNull();
            (await SetAsync(metadata, "INBOX", "/shared/comment", null)).ShouldBeNull();
            (await SetAsync(metadata, "", "/private/filters/values/boss", "FROM boss")).ShouldBeNull();
            // With the mailbox its annotations go.
            (await SetAsync(metadata, "Trash", "/shared/comment", "t")).ShouldBeNull();
            (await node.Mailboxes.DeleteAsync(Account, "Trash", MailNode.Someone, null, default)).IsOk.ShouldBeTrue();
            live = await ScalarAsync<string>(database, Rows);
            live.ShouldNotContain("/shared/comment");
        }

        await ScalarAsync<string>(database, "drop table projections.metadata; select ''");
        await using (var node = await MailNode.StartAsync(database))
        {
            (await ScalarAsync<string>(database, Rows)).ShouldBe(live);
            using var metadata = new MetadataService(node.Log, node.Mailboxes, null);
            (await GetAsync(metadata, "INBOX")).ShouldBe("/private/comment=two");
            (await GetAsync(metadata, "")).ShouldBe("/private/filters/values/boss=FROM boss");
        }
    }

    [Fact]
    public async Task Another_node_reads_what_one_has_set_and_hears_of_it()
    {
        await using var database = await MailNode.DatabaseAsync();
        await using var one = await MailNode.StartAsync(database);
        await one.AddAccountAsync(Account);
        await using var two = await MailNode.StartAsync(database);
        using var here = new MetadataService(one.Log, one.Mailboxes, null);
        using var there = new MetadataService(two.Log, two.Mailboxes, null);
        var heard = new List<string>();
        there.Changed += notice =>
        {
            lock (heard)
                heard.AddRange(notice.Changes.Select(change => change.Entry));
        };
        for (var i = 0; i < 5; i++)
        {
            (await SetAsync(here, "INBOX", "/shared/comment", $"v{i}")).ShouldBeNull();
            (await GetAsync(there, "INBOX")).ShouldBe($"/shared/comment=v{i}");
            var all = await there.OfAllAsync(Account, default);
            var inbox = (await two.Mailboxes.FindAsync(Account, "INBOX", default)).Value!;
            Encoding.UTF8.GetString((await all.OfAsync(inbox, default)).Single().Value).ShouldBe($"v{i}");
        }

        await ShouldBecomeAsync(() =>
        {
            lock (heard)
                return heard.Count > 0 && heard.TrueForAll(entry => entry == "/shared/comment");
        });
    }

    [Fact]
    public async Task Whom_a_mailbox_is_not_shared_with_its_annotations_do_not_concern()
    {
        await using var database = await MailNode.DatabaseAsync();
        await using var node = await MailNode.StartAsync(database);
        await node.AddAccountAsync(Account);
        await node.AddAccountAsync(Other);
        using var metadata = new MetadataService(node.Log, node.Mailboxes, null);
        var concerned = new List<bool>();
        metadata.Changed += notice =>
        {
            lock (concerned)
            {
                notice.MayConcern(Account).ShouldBeTrue();
                concerned.Add(notice.MayConcern(Other));
            }
        };
        (await SetAsync(metadata, "INBOX", "/shared/comment", "one")).ShouldBeNull();
        (await node.Mailboxes.Access.SetAsync(
            Account, "INBOX", AccessList.Anyone, RightsMode.Replace, Rights.Lookup | Rights.Read, MailNode.Someone, null, default)).IsOk.ShouldBeTrue();
        (await SetAsync(metadata, "INBOX", "/shared/comment", "two")).ShouldBeNull();
        (await SetAsync(metadata, "", "/private/comment", "three")).ShouldBeNull();
        await ShouldBecomeAsync(() =>
        {
            lock (concerned)
                return concerned.SequenceEqual([false, true, false]);
        });
    }

    [Fact]
    public async Task The_annotations_of_many_mailboxes_are_read_some_at_a_time_and_told_of_each()
    {
        await using var database = await MailNode.DatabaseAsync();
        await using var node = await MailNode.StartAsync(database);
        await node.AddAccountAsync(Account);
        using var metadata = new MetadataService(node.Log, node.Mailboxes, null);
        for (var i = 0; i < 2 * ListedMetadata.AtOnce; i++)
        {
            (await node.Mailboxes.CreateAsync(Account, $"m{i:d3}", null, MailNode.Someone, null, default)).IsOk.ShouldBeTrue();
            (await SetAsync(metadata, $"m{i:d3}", "/shared/comment", $"v{i:d3}")).ShouldBeNull();
        }

        var mailboxes = (await node.Mailboxes.ListAsync(Account, default)).Where(mailbox => mailbox.Name[0] == 'm').ToList();
        var all = await metadata.OfAllAsync(Account, default);
        // In LIST's order, and whatever is asked for out of it.
        foreach (var mailbox in mailboxes.Append(mailboxes[0]))
        {
            Encoding.UTF8.GetString((await all.OfAsync(mailbox, default)).Single().Value).ShouldBe("v" + mailbox.Name[1..]);
            all.Held.ShouldBeLessThanOrEqualTo(ListedMetadata.AtOnce);
        }
    }

    [Fact]
    public async Task A_private_entry_is_one_accounts_alone()
    {
        await using var database = await MailNode.DatabaseAsync();
        await using var node = await MailNode.StartAsync(database);
        await node.AddAccountAsync(Account);
        await node.AddAccountAsync(Other);
        using var metadata = new MetadataService(node.Log, node.Mailboxes, "mailto:postmaster@example.test");
        (await SetAsync(metadata, "", "/private/comment", "mine")).ShouldBeNull();
        (await GetAsync(metadata, "")).ShouldBe("/private/comment=mine /shared/admin=mailto:postmaster@example.test");
        (await GetAsync(metadata, "", Other)).ShouldBe("/shared/admin=mailto:postmaster@example.test");
        (await SetAsync(metadata, "", "/shared/comment", "ours")).ShouldBe(Rejection.NoPermission);
        (await metadata.SetAsync(Account, true, "", [("/shared/comment", "ours"u8.ToArray()), ("/private/comment", null)], MailNode.Someone, null, default))
            .IsOk.ShouldBeTrue();
        (await GetAsync(metadata, "", Other)).ShouldBe("/shared/admin=mailto:postmaster@example.test /shared/comment=ours");
        (await GetAsync(metadata, "")).ShouldBe("/shared/admin=mailto:postmaster@example.test /shared/comment=ours");
    }

    [Fact]
    public async Task What_an_account_annotates_in_all_is_bounded_and_removing_makes_room()
    {
        // "/shared/comment" and 85 octets are a hundred.
        await using var database = await MailNode.DatabaseAsync();
        await using var node = await MailNode.StartAsync(database);
        await node.AddAccountAsync(Account);
        await node.AddAccountAsync(Other);
        using var metadata = new MetadataService(node.Log, node.Mailboxes, null, total: 250);
        var value = new string('x', 85);
        (await SetAsync(metadata, "INBOX", "/shared/comment", value)).ShouldBeNull();
        (await SetAsync(metadata, "Trash", "/shared/comment", value)).ShouldBeNull();
        (await SetAsync(metadata, "Sent", "/shared/comment", value)).ShouldBe(MetadataRejections.TooMuch);
        (await SetAsync(metadata, "", "/private/comment", value)).ShouldBe(MetadataRejections.TooMuch);
        // What takes no more room is set, what takes less makes some.
        (await SetAsync(metadata, "INBOX", "/shared/comment", new string('y', 85))).ShouldBeNull();
        (await SetAsync(metadata, "Trash", "/shared/comment", "")).ShouldBeNull();
        (await SetAsync(metadata, "Sent", "/shared/comment", value)).ShouldBeNull();
        (await SetAsync(metadata, "INBOX", "/shared/comment", null)).ShouldBeNull();
        (await SetAsync(metadata, "", "/private/x", value)).ShouldBeNull();
        // With the mailbox its annotations go.
        (await node.Mailboxes.DeleteAsync(Account, "Sent", MailNode.Someone, null, default)).IsOk.ShouldBeTrue();
        (await SetAsync(metadata, "Drafts", "/shared/comment", value)).ShouldBeNull();
        (await SetAsync(metadata, "", "/private/comment", value, Other)).ShouldBeNull();
    }

    [Fact]
    public async Task Private_annotations_of_anothers_mailbox_count_for_who_made_them_and_shared_ones_for_its_owner()
    {
        await using var database = await MailNode.DatabaseAsync();
        await using (var node = await MailNode.StartAsync(database))
        {
            await node.AddAccountAsync(Account);
            await node.AddAccountAsync(Other);
            (await node.Mailboxes.Access.SetAsync(
                Account, "INBOX", AccessList.Anyone, RightsMode.Replace, Rights.Lookup | Rights.Read, MailNode.Someone, null, default)).IsOk.ShouldBeTrue();
            var shared = (await node.Mailboxes.ListAsync(Other, default)).Single(mailbox => mailbox.Name.EndsWith("/INBOX", StringComparison.Ordinal)).Name;
            using var metadata = new MetadataService(node.Log, node.Mailboxes, null, total: 100);
            (await SetAsync(metadata, shared, "/private/comment", new string('x', 84), Other)).ShouldBeNull();
            (await SetAsync(metadata, "", "/private/comment", "x", Other)).ShouldBe(MetadataRejections.TooMuch);
            (await SetAsync(metadata, shared, "/shared/comment", new string('x', 86), Other)).ShouldBe(MetadataRejections.TooMuch);
            (await SetAsync(metadata, shared, "/shared/comment", new string('x', 85), Other)).ShouldBeNull();
            (await SetAsync(metadata, "INBOX", "/private/comment", "x")).ShouldBe(MetadataRejections.TooMuch);
        }

        const string octets = "select string_agg(account || ' ' || octets, ', ' order by account) from projections.metadata_octets";
        (await ScalarAsync<string>(database, octets)).ShouldBe($"{Account} 100, {Other} 100");
        await ScalarAsync<string>(database, "drop table projections.metadata_octets; select ''");
        await using (await MailNode.StartAsync(database))
            (await ScalarAsync<string>(database, octets)).ShouldBe($"{Account} 100, {Other} 100");
    }

    [Fact]
    public async Task Of_many_annotations_at_once_as_many_are_kept_as_there_is_room_for()
    {
        await using var database = await MailNode.DatabaseAsync();
        await using var node = await MailNode.StartAsync(database);
        await node.AddAccountAsync(Account);
        using var metadata = new MetadataService(node.Log, node.Mailboxes, null, total: 300);
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => SetAsync(metadata, "INBOX", $"/shared/{i:d2}", new string('x', 90))));
        answers.Count(answer => answer is null).ShouldBe(3);
        answers.Count(answer => answer == MetadataRejections.TooMuch).ShouldBe(17);
    }

    [Fact]
    public void More_entries_and_octets_than_the_limits_are_refused_and_removing_always_works()
    {
        var state = MetadataState.Empty;
        for (var i = 0; i < MetadataLimits.MaxEntries; i++)
            state = state.Evolve(Decided(state, new MetadataChange($"/shared/e{i}", null, [1])));
        MetadataDecider.Set(state, Guid.Empty, [new("/shared/more", null, [1])]).Rejection.ShouldBe(MetadataRejections.TooMany);
        // In the place of another, and for somebody else.
        MetadataDecider.Set(state, Guid.Empty, [new("/shared/more", null, [1]), new("/SHARED/E0", null, null)]).Rejection.ShouldBeNull();
        MetadataDecider.Set(state, Guid.Empty, [new("/private/more", Account, [1])]).Rejection.ShouldBeNull();
        MetadataDecider.Set(state, Guid.Empty, [new("/shared/e1", null, new byte[MetadataLimits.MaxValue + 1])]).Rejection.ShouldBe(MetadataRejections.TooLarge);

        var large = MetadataState.Empty;
        for (var i = 0; i < MetadataLimits.MaxOctets / MetadataLimits.MaxValue; i++)
            large = large.Evolve(Decided(large, new MetadataChange($"/shared/e{i}", null, new byte[MetadataLimits.MaxValue])));
        MetadataDecider.Set(large, Guid.Empty, [new("/shared/more", null, [1])]).Rejection.ShouldBe(MetadataRejections.TooMany);
        large = large.Evolve(Decided(large, new MetadataChange("/shared/e0", null, null)));
        large.Octets.ShouldBe(MetadataLimits.MaxOctets - MetadataLimits.MaxValue);
    }

    private static MetadataSet Decided(MetadataState state, MetadataChange change)
    {
        var (e, rejection) = MetadataDecider.Set(state, Guid.Empty, [change]);
        rejection.ShouldBeNull();
        return e.ShouldNotBeNull();
    }

    [Theory]
    [InlineData("/private/comment", true)]
    [InlineData("/SHARED/vendor/x/y", true)]
    [InlineData("/private", true)]
    [InlineData("/privates/comment", false)]
    [InlineData("/private/", false)]
    [InlineData("/private//x", false)]
    [InlineData("/shared/a*", false)]
    [InlineData("/shared/a%", false)]
    [InlineData("/shared/\u00e9", false)]
    [InlineData("/shared/a\u0001", false)]
    [InlineData("comment", false)]
    [InlineData("", false)]
    public void An_entry_is_a_path_of_RFC_5464_below_private_or_shared(string entry, bool valid) =>
        MetadataEntry.IsValid(entry).ShouldBe(valid);
}
