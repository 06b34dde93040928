using EventMail.EventStore;
using EventMail.Projections.Maildrops;
using EventMail.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace EventMail.Projections.Tests.Maildrops;

public class MaildropLocksTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    private static StreamKey NewInbox() => new("account1", Guid.CreateVersion7());

    [Fact]
    public async Task A_maildrop_is_one_sessions_at_a_time_on_one_node()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var node = NewNode(database);
        var inbox = NewInbox();
        var first = (await node.TryTakeAsync(inbox, Ignore, None)).ShouldNotBeNull();
        (await node.TryTakeAsync(inbox, Ignore, None)).ShouldBeNull();
        await first.DisposeAsync();
        await using var second = (await node.TryTakeAsync(inbox, Ignore, None)).ShouldNotBeNull();
    }

    [Fact]
    public async Task A_maildrop_is_one_sessions_at_a_time_over_all_nodes()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var one = NewNode(database);
        await using var two = NewNode(database);
        var inbox = NewInbox();
        var first = (await one.TryTakeAsync(inbox, Ignore, None)).ShouldNotBeNull();
        (await two.TryTakeAsync(inbox, Ignore, None)).ShouldBeNull();
        await first.DisposeAsync();
        await using var second = (await two.TryTakeAsync(inbox, Ignore, None)).ShouldNotBeNull();
        (await one.TryTakeAsync(inbox, Ignore, None)).ShouldBeNull();
    }

    [Fact]
    public async Task Different_maildrops_do_not_meet()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var one = NewNode(database);
        await using var two = NewNode(database);
        var taken = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => (i % 2 == 0 ? one : two).TryTakeAsync(NewInbox(), Ignore, None)));
        taken.ShouldAllBe(taken => taken != null);
        await Task.WhenAll(taken.Select(taken => taken!.DisposeAsync().AsTask()));
        one.Count.ShouldBe(0);
    }

    [Fact]
    public async Task Of_many_who_ask_at_once_one_is_given_the_maildrop()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var one = NewNode(database);
        await using var two = NewNode(database);
        var inbox = NewInbox();
        for (var round = 0; round < 20; round++)
        {
            var taken = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => (i % 2 == 0 ? one : two).TryTakeAsync(inbox, Ignore, None)));
            await taken.Single(taken => taken is not null)!.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_node_that_dies_frees_its_maildrops()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var two = NewNode(database);
        var inbox = NewInbox();
        await using (var one = NewNode(database))
        {
            (await one.TryTakeAsync(inbox, Ignore, None)).ShouldNotBeNull();
        }

        await using var taken = (await two.TryTakeAsync(inbox, Ignore, None)).ShouldNotBeNull();
    }

    [Fact]
    public async Task Sessions_are_told_when_the_connection_that_holds_their_locks_breaks()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var node = NewNode(database);
        var told = new TaskCompletionSource();
        await using var taken = (await node.TryTakeAsync(NewInbox(), told.SetResult, None)).ShouldNotBeNull();
        taken.IsLost.ShouldBeFalse();
        await CutAsync(database);
        // Without anybody asking: the heartbeat finds it.
        await told.Task.InTime();
        taken.IsLost.ShouldBeTrue();
    }

    [Fact]
    public async Task Who_asks_when_the_connection_has_broken_is_served_by_a_new_one()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var node = NewNode(database);
        var inbox = NewInbox();
        await using var lost = (await node.TryTakeAsync(inbox, Ignore, None)).ShouldNotBeNull();
        await CutAsync(database);
        await using var other = (await node.TryTakeAsync(NewInbox(), Ignore, None)).ShouldNotBeNull();
        lost.IsLost.ShouldBeTrue();
        await using var again = (await node.TryTakeAsync(inbox, Ignore, None)).ShouldNotBeNull();
        await lost.DisposeAsync();
        (await node.TryTakeAsync(inbox, Ignore, None)).ShouldBeNull();
    }

    [Fact]
    public async Task While_PostgreSQL_cannot_be_asked_nothing_is_taken()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var nowhere = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(database.ConnectionString) { Database = "absent" });
        await using var node = new MaildropLocks(nowhere, NullLogger.Instance);
        var inbox = NewInbox();
        await Should.ThrowAsync<NpgsqlException>(() => node.TryTakeAsync(inbox, Ignore, None));
        await Should.ThrowAsync<NpgsqlException>(() => node.TryTakeAsync(inbox, Ignore, None));
        node.Count.ShouldBe(0);
    }

    private static MaildropLocks NewNode(TestDatabase database) => new(database.DataSource, NullLogger.Instance);

    private static void Ignore() { }

    private static async Task CutAsync(TestDatabase database)
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(database.ConnectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            """
            select count(pg_terminate_backend(pid, 60000)) from pg_locks
            where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())
            """,
            connection);
        (await command.ExecuteScalarAsync()).ShouldNotBe(0L);
    }
}
