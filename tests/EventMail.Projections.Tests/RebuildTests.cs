using EventMail.Domain.Accounts;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Tests.Accounts;
using EventMail.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace EventMail.Projections.Tests;

/// <summary>Read models whose tables were dropped, and starts beside servers at work.</summary>
public sealed class RebuildTests
{
    private const string Counts = """
        select (select count(*) from projections.mailbox)::int || ' ' || (select count(*) from projections.account)
          || ' ' || (select count(*) from projections.address) || ' ' || (select count(*) from projections.mail_domain)
          || ' ' || (select count(*) from projections.last_login)
          || ' ' || (select string_agg(acl, ',' order by id) from projections.mailbox)
        """;

    /// <summary>Ends in the middle: it has been begun, and has no row yet.</summary>
    private sealed class Interrupted(IInlineProjection inner) : IInlineProjection
    {
        public string Name => inner.Name;

        public IReadOnlyList<string> Tables => inner.Tables;

        public Task CreateAsync(NpgsqlConnection connection, CancellationToken cancel) => inner.CreateAsync(connection, cancel);

        public void Fold(CommitBatch batch, NpgsqlBatch sql)
        {
            inner.Fold(batch, sql);
            throw new OperationCanceledException("stopped");
        }
    }

    private static async Task OpenAndCloseAsync(TestAccounts accounts, int interrupt = -1)
    {
        var types = EventTypes.Create();
        var inline = ReadModels.Inline().ToList();
        if (interrupt >= 0)
            inline[interrupt] = new Interrupted(inline[interrupt]);
        await using var log = await EventLog.OpenAsync(
            new() { ConnectionString = accounts.ConnectionString, DataFolder = accounts.Folder }, types, ReadModels.Kinds, inline, [],
            NullLoggerFactory.Instance, default);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_rebuild_that_was_interrupted_is_done_again(int projection)
    {
        await using var accounts = await TestAccounts.OpenAsync();
        foreach (var name in new[] { "alice", "bob" })
        {
            await accounts.AddAsync($"{name}@example.org");
            (await accounts.LoginAsync($"{name}@example.org")).Account.ShouldNotBeNull();
        }
        var alice = (await accounts.LoginAsync("alice@example.org")).Account!.Account;
        foreach (var (who, rights) in new[] { ("bob@example.org", Rights.All), ("anyone", Rights.Lookup), ("-bob@example.org", Rights.Administer) })
            (await accounts.First.Mailboxes.Access.SetAsync(alice, "INBOX", who, RightsMode.Add, rights, Actor.System, null, default))
                .Rejection.ShouldBeNull();
        var complete = await accounts.ScalarAsync<string>(Counts);
        complete.ShouldContain("anyone =l");
        await accounts.RunAsync("drop schema projections cascade");
        await Should.ThrowAsync<OperationCanceledException>(OpenAndCloseAsync(accounts, projection));
        await OpenAndCloseAsync(accounts);
        (await accounts.ScalarAsync<string>(Counts)).ShouldBe(complete);
    }

    [Theory]
    [InlineData("account")]
    [InlineData("address")]
    [InlineData("login_place")]
    public async Task One_table_of_several_that_is_missing_is_made_again_with_its_rows(string table)
    {
        await using var accounts = await TestAccounts.OpenAsync();
        await accounts.AddAsync("alice@example.org");
        (await accounts.LoginAsync("alice@example.org")).Account.ShouldNotBeNull();
        var complete = await accounts.ScalarAsync<string>(Counts);
        await accounts.RunAsync($"drop table projections.{table}");
        await OpenAndCloseAsync(accounts);
        (await accounts.ScalarAsync<string>(Counts)).ShouldBe(complete);
        (await accounts.ScalarAsync<long>($"select count(*) from projections.{table}")).ShouldBe(1);
    }

    [Fact]
    public async Task A_start_reads_no_logins_again_because_nobody_has_logged_in_yet()
    {
        await using var accounts = await TestAccounts.OpenAsync();
        await accounts.AddAsync("alice@example.org");
        (await accounts.LoginAsync("alice@example.org", "wrong")).Account.ShouldBeNull();
        await TestAccounts.EventuallyAsync(async () =>
            await accounts.ScalarAsync<long>("select count(*) from mt_streams where type = 'login'") > 0);
        // What cannot be read would end the start.
        await accounts.RunAsync("update mt_events set data = '[]' where type like 'login%'");
        await OpenAndCloseAsync(accounts);
    }

    [Fact]
    public async Task A_start_waits_for_nobody_who_uses_the_read_models()
    {
        await using var accounts = await TestAccounts.OpenAsync();
        await accounts.AddAsync("alice@example.org");
        await using var source = NpgsqlDataSource.Create(accounts.ConnectionString);
        await using var connection = await source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var hold = new NpgsqlCommand("""
            do $$ declare t regclass; begin
              for t in select oid from pg_class where relnamespace = 'projections'::regnamespace and relkind = 'r' loop
                execute format('lock table %s in row exclusive mode', t);
              end loop;
            end $$
            """, connection);
        await hold.ExecuteNonQueryAsync();
        await OpenAndCloseAsync(accounts).InTime();
    }

    [Fact]
    public async Task Of_those_who_open_one_address_at_once_exactly_one_gets_it()
    {
        await using var accounts = await TestAccounts.OpenAsync();
        await accounts.AddAsync("first@example.org"); // the domain is there
        for (var round = 0; round < 5; round++)
        {
            var opened = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
                accounts.Accounts.AddAsync($"alice{round}@example.org", TestAccounts.Password, null, Actor.System, default))));
            opened.Count(o => o.Rejection is null).ShouldBe(1);
            opened.Where(o => o.Rejection is not null).ShouldAllBe(o => o.Rejection == AccountRejections.AddressTaken);
        }
        (await accounts.ScalarAsync<long>("select count(*) from projections.account")).ShouldBe(6);
    }
}
