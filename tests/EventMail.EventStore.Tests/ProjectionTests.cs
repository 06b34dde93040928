using EventMail.Testing;
using Npgsql;

namespace EventMail.EventStore.Tests;

public class ProjectionTests
{
    /// <summary>Sums what counters were raised by, and remembers every event that it was given.</summary>
    private sealed class Sums(int version = 1, int failAt = 0, int newsFrom = 0, string name = "Sums") : IAsyncProjection
    {
        private int _left = failAt;

        public int Pages { get; private set; }

        public string? SynchronousCommit { get; private set; }

        public bool IsNews(StoredEvent e) => e.Data is not CounterRaised raised || raised.By >= newsFrom;

        public string Name => name;

        public int Version => version;

        public async Task CreateAsync(NpgsqlConnection connection, CancellationToken cancel)
        {
            await using var command = new NpgsqlCommand(
                $"create table if not exists sums_v{version} (seq_id bigint primary key, by bigint)", connection);
            await command.ExecuteNonQueryAsync(cancel);
        }

        public async Task ApplyAsync(NpgsqlTransaction transaction, IReadOnlyList<StoredEvent> events, CancellationToken cancel)
        {
            Pages++;
            await using (var show = new NpgsqlCommand("show synchronous_commit", transaction.Connection, transaction))
                SynchronousCommit = (string?)await show.ExecuteScalarAsync(cancel);
            foreach (var e in events)
            {
                if (_left > 0 && --_left == 0)
                    throw new InvalidTimeZoneException("once");
                await using var command = new NpgsqlCommand(
                    $"insert into sums_v{version} values ($1, $2)", transaction.Connection, transaction)
                {
                    Parameters = { new() { Value = e.Sequence }, new() { Value = (long)((e.Data as CounterRaised)?.By ?? 0) } },
                };
                await command.ExecuteNonQueryAsync(cancel);
            }
        }
    }

    private static Task RaiseAsync(EventLog node, StreamRef counter, int times) =>
        Task.WhenAll(Enumerable.Range(0, times).Select(_ => node.Executor.ExecuteAsync(Counters.Raise(counter, 2), default)));

    [Fact]
    public async Task Every_event_is_folded_once_and_the_position_is_where_Marten_keeps_it()
    {
        await using var log = await TestLog.OpenAsync(projections: [new Sums()]);
        await RaiseAsync(log.Node, Counters.New(), 100);
        await log.Node.Projections.WaitForAsync("Sums", default);
        (await log.ScalarAsync<decimal>("select sum(by) from sums_v1")).ShouldBe(200);
        (await log.ScalarAsync<long>("select last_seq_id from mt_event_progression where name = 'Sums:All'")).ShouldBe(100);
    }

    [Fact]
    public async Task Commits_that_are_no_news_wait_for_one_that_is()
    {
        var sums = new Sums(newsFrom: 3);
        await using var log = await TestLog.OpenAsync(o => o with { ProjectionPoll = TimeSpan.FromHours(1) }, [sums]);
        var counter = Counters.New();
        for (var i = 0; i < 50; i++)
            await log.ExecuteAsync(Counters.Raise(counter, 2));
        await log.ExecuteAsync(Counters.Raise(counter, 3));
        await Waiting.UntilAsync(async () => await SumAsync() >= 103);
        // One at the start, perhaps one for the counter's first event, and one for the news.
        sums.Pages.ShouldBeLessThan(5);

        Task<decimal> SumAsync() => log.ScalarAsync<decimal>("select coalesce(sum(by), 0) from sums_v1");
    }

    [Fact]
    public async Task Nobody_waits_for_a_projections_page_to_be_on_the_disk()
    {
        var sums = new Sums();
        await using var log = await TestLog.OpenAsync(o => o with { ConnectionString = $"{o.ConnectionString};Options=-c synchronous_commit=on" }, [sums]);
        await RaiseAsync(log.Node, Counters.New(), 1);
        await log.Node.Projections.WaitForAsync("Sums", default);
        sums.SynchronousCommit.ShouldBe("off");
    }

    [Fact]
    public async Task A_connection_of_its_own_takes_its_locks_with_it_and_the_pools_are_not_reset()
    {
        await using var log = await TestLog.OpenAsync();
        await using (var own = await log.Node.Sessions.OpenConnectionAsync())
            await new NpgsqlCommand("select pg_advisory_lock(42)", own).ExecuteNonQueryAsync();
        await Waiting.UntilAsync(async () => await LocksAsync() == 0);
        new NpgsqlConnectionStringBuilder(log.Node.DataSource.ConnectionString).NoResetOnClose.ShouldBeTrue();

        Task<long> LocksAsync() => log.ScalarAsync<long>("select count(*) from pg_locks where locktype = 'advisory' and objid = 42");
    }

    [Fact]
    public async Task A_fault_takes_back_the_page_and_it_is_folded_again()
    {
        await using var log = await TestLog.OpenAsync();
        await RaiseAsync(log.Node, Counters.New(), 50);
        var second = await log.AddNodeAsync(projections: [new Sums(failAt: 20)]);
        await second.Projections.WaitForAsync("Sums", default);
        (await log.ScalarAsync<long>("select count(*) from sums_v1")).ShouldBe(50);
    }

    /// <summary>Never gets a page done.</summary>
    private sealed class Failing : IAsyncProjection
    {
        public string Name => "Failing";

        public int Tries;

        public Task CreateAsync(NpgsqlConnection connection, CancellationToken cancel) => Task.CompletedTask;

        public Task ApplyAsync(NpgsqlTransaction transaction, IReadOnlyList<StoredEvent> events, CancellationToken cancel)
        {
            Interlocked.Increment(ref Tries);
            throw new InvalidTimeZoneException("always");
        }
    }

    [Fact]
    public async Task One_that_fails_stops_no_other_and_stays_where_it_is()
    {
        var failing = new Failing();
        await using var log = await TestLog.OpenAsync(projections: [failing, new Sums(), new Sums(version: 2, name: "Others")]);
        var counter = Counters.New();
        await RaiseAsync(log.Node, counter, 50);
        await log.Node.Projections.WaitForAsync("Sums", default);
        await RaiseAsync(log.Node, counter, 50);
        await log.Node.Projections.WaitForAsync("Sums", default);
        await log.Node.Projections.WaitForAsync("Others", default);
        (await log.ScalarAsync<long>("select count(*) from sums_v1")).ShouldBe(100);
        (await log.ScalarAsync<long>("select count(*) from sums_v2")).ShouldBe(100);
        await Waiting.UntilAsync(() => Volatile.Read(ref failing.Tries) > 0);
        (await log.ScalarAsync<long>("select count(*) from mt_event_progression where name like 'Failing%'")).ShouldBe(0);
    }

    [Fact]
    public async Task Two_nodes_take_turns_and_a_new_version_starts_from_the_first_event()
    {
        await using var log = await TestLog.OpenAsync(projections: [new Sums()]);
        var second = await log.AddNodeAsync(o => o with { ProjectionPoll = TimeSpan.FromMilliseconds(50) }, [new Sums()]);
        var counter = Counters.New();
        await Task.WhenAll(RaiseAsync(log.Node, counter, 100), RaiseAsync(second, counter, 100));
        await second.Projections.WaitForAsync("Sums", default);
        await log.CloseAsync(log.Node);
        await RaiseAsync(second, counter, 10);
        await second.Projections.WaitForAsync("Sums", default);
        (await log.ScalarAsync<long>("select count(*) from sums_v1")).ShouldBe(210);

        await log.CloseAsync(second); // programs of the other version are waited for
        var third = await log.AddNodeAsync(projections: [new Sums(version: 2)]);
        await third.Projections.WaitForAsync("Sums", default);
        (await log.ScalarAsync<long>("select count(*) from sums_v2")).ShouldBe(210);
        (await log.ScalarAsync<long>("select count(*) from mt_event_progression where name in ('Sums:All', 'Sums:V2:All')")).ShouldBe(2);
    }
}
