using EventMail.Testing;
using Npgsql;

namespace EventMail.EventStore.Tests;

/// <summary>The committer's connection breaks under it: nothing twice, nothing lost, nobody left waiting.</summary>
public class ConnectionLossTests
{
    private const string KillCommitter =
        "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name like 'eventmail committer%' and datname = current_database()";

    [Fact]
    public async Task Commands_survive_a_committer_that_is_cut_off_again_and_again()
    {
        await using var log = await TestLog.OpenAsync();
        var counters = Enumerable.Range(0, 20).Select(_ => Counters.New()).ToArray();
        using var done = new CancellationTokenSource();
        var killed = new TaskCompletionSource();
        var answered = 0;
        var killing = Task.Run(async () =>
        {
            var (before, inVain) = (0, 0L);
            while (!done.IsCancellationRequested)
            {
                await Task.Delay(Random.Shared.Next(2, 40));
                var kills = await log.ScalarAsync<long>(KillCommitter);
                if (kills > 0)
                    killed.TrySetResult();
                // A command that loses ten connections is taken for what breaks them: on a slow machine all of these would be.
                inVain = Volatile.Read(ref answered) is var now && now > before ? kills : inVain + kills;
                before = now;
                if (inVain >= 5)
                    await Waiting.UntilAsync(() => Volatile.Read(ref answered) > before || done.IsCancellationRequested);
            }
        });
        var totals = new long[20][];
        await Task.WhenAll(counters.Select((counter, i) => Task.Run(async () =>
        {
            totals[i] = new long[100];
            for (var n = 0; n < 100; n++)
            {
                if (n == 50)
                    await killed.Task.InTime();
                totals[i][n] = (long)(await log.ExecuteAsync(Counters.RaiseAndTell(counter))).Result!;
                Interlocked.Increment(ref answered);
            }
        })));
        await done.CancelAsync();
        await killing;
        // Each command counted once, in its caller's order, and told so.
        totals.ShouldAllBe(t => t.SequenceEqual(Enumerable.Range(1, 100).Select(i => (long)i)));
        (await log.ScalarAsync<long>("select count(*) from mt_events")).ShouldBe(2000);
        await log.ShouldBeConsistentAsync();
    }

    [Fact]
    public async Task A_commit_whose_answer_was_lost_is_found_in_the_log()
    {
        await using var log = await TestLog.OpenAsync();
        await using var proxy = new ForgetfulProxy(log.ConnectionString, "eventmail committer");
        var node = await log.AddNodeAsync(o => o with { ConnectionString = proxy.ConnectionString });
        var counter = Counters.New();
        await node.Executor.ExecuteAsync(Counters.Raise(counter), default);
        var published = new List<CommitBatch>();
        using var subscription = node.Executor.Feed.Subscribe(published.Add);
        for (var i = 2; i <= 20; i++)
        {
            if (i % 3 != 0)
                proxy.ForgetNextAnswer();
            (await node.Executor.ExecuteAsync(Counters.RaiseAndTell(counter), default)).Result.ShouldBe((long)i);
        }
        proxy.Forgotten.ShouldBe(13);
        published.SelectMany(b => b.Changes).SelectMany(c => c.Events).Select(e => e.Version)
            .ShouldBe(Enumerable.Range(2, 19).Select(i => (long)i));
        published.SelectMany(b => b.Changes).SelectMany(c => c.Events).ShouldAllBe(e => e.Sequence > 0);
        await log.ShouldBeConsistentAsync();
    }

    [Fact]
    public async Task A_command_that_always_breaks_the_connection_fails_and_its_neighbours_do_not()
    {
        await using var log = await TestLog.OpenAsync();
        await log.RunAsync("""
            create function kill_now() returns trigger language plpgsql as $$
            begin
              if new.data->>'Name' = 'poison' then perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(1); end if;
              return new;
            end $$;
            create trigger kill_now before insert on mt_events for each row execute function kill_now();
            """);
        var good = log.ExecuteAsync(Counters.Name(Counters.New(), "good"));
        var bad = log.ExecuteAsync(Counters.Name(Counters.New(), "poison"));
        var alsoGood = log.ExecuteAsync(Counters.Name(Counters.New(), "also good"));
        await Should.ThrowAsync<Npgsql.PostgresException>(bad);
        (await good).Accepted.ShouldBeTrue();
        (await alsoGood).Accepted.ShouldBeTrue();
        (await log.ScalarAsync<long>("select count(*) from mt_events")).ShouldBe(2);
    }

    [Fact]
    public async Task Closing_while_the_database_is_away_ends_in_time_and_fails_what_is_left()
    {
        await using var log = await TestLog.OpenAsync();
        var grace = TimeSpan.FromSeconds(1);
        var node = await log.AddNodeAsync(o => o with { ClosingGrace = grace });
        var preparing = new TaskCompletionSource();
        var counter = Counters.New();
        await node.Executor.ExecuteAsync(Counters.Raise(counter), default);
        var taken = new TaskCompletionSource();
        var deferred = node.Executor.ExecuteAsync(new Act(counter, d => d.Defer(_ =>
        {
            taken.TrySetResult();
            return preparing.Task;
        })), default);
        await taken.Task.InTime();
        await using var outside = await new NpgsqlDataSourceBuilder(
            new NpgsqlConnectionStringBuilder(log.ConnectionString) { Database = "postgres" }.ConnectionString).Build().OpenConnectionAsync();
        async Task AllowAsync(bool allowed)
        {
            var name = new NpgsqlConnectionStringBuilder(log.ConnectionString).Database;
            await using var allow = new NpgsqlCommand($"alter database \"{name}\" allow_connections {allowed}", outside);
            await allow.ExecuteNonQueryAsync();
            await using var kill = new NpgsqlCommand(
                $"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}' and application_name like 'eventmail committer%'",
                outside);
            await kill.ExecuteNonQueryAsync();
        }
        await AllowAsync(false);
        try
        {
            var left = node.Executor.ExecuteAsync(Counters.Raise(counter), default);
            // As a service that writes its last command when it is disposed, before the log is.
            node.Executor.BeginClosing();
            await Should.ThrowAsync<OperationCanceledException>(left.InTime());
            await log.CloseAsync(node).InTime();
            preparing.SetResult();
            await Should.ThrowAsync<OperationCanceledException>(deferred.InTime());
        }
        finally
        {
            await AllowAsync(true);
        }
    }

    [Fact]
    public async Task Contents_survive_a_lost_connection_as_well()
    {
        await using var log = await TestLog.OpenAsync();
        using var done = new CancellationTokenSource();
        var stored = 0;
        var killing = Task.Run(async () =>
        {
            while (!done.IsCancellationRequested)
            {
                // No more often than a command may lose its connection.
                var before = Volatile.Read(ref stored);
                for (var i = 0; i < 5; i++)
                {
                    await Task.Delay(Random.Shared.Next(5, 60));
                    await log.ScalarAsync<long>(KillCommitter);
                }
                await Waiting.UntilAsync(() => Volatile.Read(ref stored) > before || done.IsCancellationRequested);
            }
        });
        for (var i = 0; i < 30; i++)
        {
            var content = await log.Node.Contents.StageAsync(BitConverter.GetBytes(i));
            await log.ExecuteAsync(new Act(Counters.New(), d => d.Store(content), content));
            Interlocked.Increment(ref stored);
        }
        await done.CancelAsync();
        await killing;
        (await log.ScalarAsync<long>("select count(*) from eventmail.content")).ShouldBe(30);
    }
}
