using EventMail.Testing;

namespace EventMail.EventStore.Tests;

public class AppendTests
{
    [Fact]
    public async Task An_appended_event_is_stored_with_its_metadata()
    {
        await using var log = await TestLog.OpenAsync();
        var counter = Counters.New();
        var before = DateTimeOffset.UtcNow.AddSeconds(-1);
        (await log.ExecuteAsync(Counters.Raise(counter, 5))).Accepted.ShouldBeTrue();

        var e = await log.Node.Reader.ReadStreamAsync(counter.Key).SingleAsync();
        e.Stream.ShouldBe(counter.Key);
        e.Version.ShouldBe(1);
        e.Sequence.ShouldBe(1);
        e.Type.ShouldBe("counter_raised");
        e.Data.ShouldBe(new CounterRaised(5, "because"));
        e.Timestamp.ShouldBeInRange(before, DateTimeOffset.UtcNow);
        e.Id.Version.ShouldBe(7);
        e.Metadata.ShouldBe(new("alice@example.org", "session-1", "tag-7", $$"""{"hash": "{{e.Hash}}", "protocol": "test"}"""));
        (await log.ScalarAsync<string>("select mt_dotnet_type from mt_events"))
            .ShouldBe("EventMail.EventStore.Tests.CounterRaised, EventMail.EventStore.Tests");
        (await log.ScalarAsync<string>("select type from mt_streams where id = $1", counter.Key.Id)).ShouldBe("counter");
    }

    [Fact]
    public async Task Members_are_stored_as_declared_and_nulls_are_written()
    {
        await using var log = await TestLog.OpenAsync();
        await log.ExecuteAsync(Counters.Name(Counters.New(), "one"));
        (await log.ScalarAsync<string>("select data::text from mt_events")).ShouldBe("""{"Name": "one", "Note": null}""");
    }

    [Fact]
    public async Task Commands_of_one_batch_see_each_others_events()
    {
        await using var log = await TestLog.OpenAsync();
        var counter = Counters.New();
        // Held up by one before them, so that they wait in the queue together.
        using var go = new ManualResetEventSlim();
        var before = log.ExecuteAsync(new Act(counter, d => go.Wait(Waiting.Limit)));
        var raising = Task.WhenAll(Enumerable.Range(0, 500).Select(_ => log.ExecuteAsync(Counters.RaiseAndTell(counter))));
        go.Set();
        await before;
        var totals = await raising;
        totals.Select(t => (long)t.Result!).Order().ShouldBe(Enumerable.Range(1, 500).Select(i => (long)i));
        (await log.ScalarAsync<long>("select count(distinct timestamp) from mt_events")).ShouldBeLessThan(100);
        await log.ShouldBeConsistentAsync();
    }

    [Fact]
    public async Task A_rejected_command_writes_nothing_and_fails_no_neighbour()
    {
        await using var log = await TestLog.OpenAsync();
        var counter = Counters.New();
        var rejecting = new Act(counter, d =>
        {
            d.Append(counter.Key, new CounterRaised(100, "no"));
            d.Reject("too much");
        });
        var outcomes = await Task.WhenAll(
            log.ExecuteAsync(Counters.Raise(counter)), log.ExecuteAsync(rejecting), log.ExecuteAsync(Counters.Raise(counter)));
        outcomes.Select(o => o.Rejection).ShouldBe([null, "too much", null]);
        ((Counter)(await log.Executor.StateAsync(counter, default)).State).Total.ShouldBe(2);
        (await log.ScalarAsync<long>("select count(*) from mt_events")).ShouldBe(2);
    }

    [Fact]
    public async Task A_command_that_throws_fails_alone()
    {
        await using var log = await TestLog.OpenAsync();
        var counter = Counters.New();
        var good = log.ExecuteAsync(Counters.Raise(counter));
        var bad = log.ExecuteAsync(new Act(counter, d =>
        {
            d.Append(counter.Key, new CounterRaised(100, "no"));
            throw new InvalidTimeZoneException();
        }));
        var alsoGood = log.ExecuteAsync(Counters.Raise(counter));
        await Should.ThrowAsync<InvalidTimeZoneException>(bad);
        (await good).Accepted.ShouldBeTrue();
        (await alsoGood).Accepted.ShouldBeTrue();
        ((Counter)(await log.Executor.StateAsync(counter, default)).State).Total.ShouldBe(2);
    }

    [Fact]
    public async Task A_stream_that_the_command_does_not_name_cannot_be_touched()
    {
        await using var log = await TestLog.OpenAsync();
        var (named, other) = (Counters.New(), Counters.New());
        await Should.ThrowAsync<InvalidOperationException>(
            log.ExecuteAsync(new Act(named, d => d.Append(other.Key, new CounterRaised(1, "")))));
    }

    [Fact]
    public async Task Deciding_nothing_writes_nothing()
    {
        await using var log = await TestLog.OpenAsync();
        (await log.ExecuteAsync(new Act(Counters.New(), d => d.Result = "nothing"))).Result.ShouldBe("nothing");
        (await log.ScalarAsync<long>("select count(*) from mt_streams")).ShouldBe(0);
    }

    [Fact]
    public async Task One_command_moves_two_streams_or_none()
    {
        await using var log = await TestLog.OpenAsync();
        var (from, to) = (Counters.New("a"), Counters.New("b"));
        await log.ExecuteAsync(new Act([from, to], d =>
        {
            d.Append(from.Key, new CounterLowered(3));
            d.Append(to.Key, new CounterRaised(3, "moved"));
        }));
        ((Counter)(await log.Executor.StateAsync(from, default)).State).Total.ShouldBe(-3);
        ((Counter)(await log.Executor.StateAsync(to, default)).State).Total.ShouldBe(3);
    }

    [Fact]
    public async Task A_cold_stream_is_loaded_before_it_is_decided_on()
    {
        await using var log = await TestLog.OpenAsync();
        var counter = Counters.New();
        await log.ExecuteAsync(Counters.Raise(counter, 5));
        await log.CloseAsync(log.Node);
        await log.AddNodeAsync();
        (await log.ExecuteAsync(Counters.RaiseAndTell(counter))).Result.ShouldBe(6L);
        (await log.Executor.StateAsync(counter, default)).Version.ShouldBe(2);
    }

    [Fact]
    public async Task A_deferred_command_is_decided_again_after_its_preparation()
    {
        await using var log = await TestLog.OpenAsync();
        var counter = Counters.New();
        var prepared = 0;
        var outcome = await log.ExecuteAsync(new Act(counter, d =>
        {
            if (prepared < 3)
                d.Defer(async cancel =>
                {
                    await Task.Delay(1, cancel);
                    prepared++;
                });
            else
                d.Result = prepared;
        }));
        outcome.Result.ShouldBe(3);
    }

    [Fact]
    public async Task A_command_that_defers_for_ever_fails()
    {
        await using var log = await TestLog.OpenAsync();
        var preparations = 0;
        await Should.ThrowAsync<InvalidOperationException>(log.ExecuteAsync(new Act(Counters.New(), d => d.Defer(_ =>
        {
            preparations++;
            return Task.CompletedTask;
        }))));
        preparations.ShouldBe(new EventLogOptions { ConnectionString = "", DataFolder = "" }.MaxDeferrals);
    }

    [Fact]
    public async Task A_preparation_that_fails_fails_the_command_alone()
    {
        await using var log = await TestLog.OpenAsync();
        await Should.ThrowAsync<InvalidTimeZoneException>(
            log.ExecuteAsync(new Act(Counters.New(), d => d.Defer(_ => throw new InvalidTimeZoneException()))));
        (await log.ExecuteAsync(Counters.Raise(Counters.New()))).Accepted.ShouldBeTrue();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Commands_of_one_session_do_not_pass_a_deferred_one(bool fails)
    {
        await using var log = await TestLog.OpenAsync();
        var counter = Counters.New();
        var order = new List<string>();
        var prepared = new TaskCompletionSource();
        Act Of(string name, string? session, Func<bool> ready) => new(counter, d =>
        {
            if (!ready())
            {
                d.Defer(async _ =>
                {
                    await prepared.Task;
                    if (fails)
                        throw new InvalidTimeZoneException();
                });
                return;
            }

            order.Add(name);
            d.Append(counter.Key, new CounterRaised(1, name));
        })
        { Session = session };

        var first = log.ExecuteAsync(Of("first", "a", () => prepared.Task.IsCompleted));
        // Those of others and of nobody go on; more of them than a batch holds, so that the session's own come in several.
        List<Task<Outcome>> own = [], others = [];
        for (var i = 0; i < 200; i++)
        {
            own.Add(log.ExecuteAsync(Of($"a{i}", "a", () => true)));
            others.Add(log.ExecuteAsync(Of("other", i % 2 == 0 ? "b" : null, () => true)));
        }

        await Task.WhenAll(others).InTime();
        own.ShouldAllBe(command => !command.IsCompleted);
        prepared.SetResult();
        await Task.WhenAll(own).InTime();
        if (fails)
            await Should.ThrowAsync<InvalidTimeZoneException>(first);
        else
            (await first).Accepted.ShouldBeTrue();
        List<string> expected = [.. Enumerable.Range(0, 200).Select(i => $"a{i}")];
        order.Where(name => name != "other").ShouldBe(fails ? expected : ["first", .. expected]);
    }

    [Fact]
    public async Task A_cancelled_command_leaves_the_queue_and_one_that_was_taken_completes()
    {
        await using var log = await TestLog.OpenAsync();
        var counter = Counters.New();
        using var taken = new ManualResetEventSlim();
        using var go = new ManualResetEventSlim();
        using var cancel = new CancellationTokenSource();
        var running = log.Executor.ExecuteAsync(new Act(counter, d =>
        {
            taken.Set();
            go.Wait(Waiting.Limit);
            d.Append(counter.Key, new CounterRaised(1, "taken"));
        }), cancel.Token);
        taken.Wait(Waiting.Limit).ShouldBeTrue();
        var waiting = log.Executor.ExecuteAsync(Counters.Raise(counter, 100), cancel.Token);
        await cancel.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(waiting);
        go.Set();
        (await running).Accepted.ShouldBeTrue();
        await log.ExecuteAsync(Counters.Raise(counter));
        ((Counter)(await log.Executor.StateAsync(counter, default)).State).Total.ShouldBe(2);
    }

    [Fact]
    public async Task A_full_queue_makes_callers_wait_and_loses_nobody()
    {
        await using var log = await TestLog.OpenAsync(o => o with { QueueLimit = 3 });
        var counter = Counters.New();
        await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => Task.Run(() => log.ExecuteAsync(Counters.Raise(counter)))));
        ((Counter)(await log.Executor.StateAsync(counter, default)).State).Total.ShouldBe(200);
    }

    [Fact]
    public async Task A_taken_name_refuses_only_the_command_that_wants_it()
    {
        await using var log = await TestLog.OpenAsync();
        await log.ExecuteAsync(Counters.Name(Counters.New(), "taken"));
        var outcomes = await Task.WhenAll(
            log.ExecuteAsync(Counters.Name(Counters.New(), "free")),
            log.ExecuteAsync(Counters.Name(Counters.New(), "taken")),
            log.ExecuteAsync(Counters.Name(Counters.New(), "free too")));
        outcomes.Select(o => o.Rejection).ShouldBe([null, new ConstraintConflict("counter_name_taken"), null]);
        (await log.ScalarAsync<long>("select count(*) from mt_events")).ShouldBe(3);
        (await log.ScalarAsync<long>("select max(seq_id) from mt_events")).ShouldBe(3); // no position was drawn in vain
    }

    [Fact]
    public async Task Another_fault_of_the_database_fails_only_the_guilty()
    {
        await using var log = await TestLog.OpenAsync();
        // A text column holds no NUL.
        var bad = log.ExecuteAsync(Counters.Name(Counters.New(), "\0"));
        var good = log.ExecuteAsync(Counters.Name(Counters.New(), "good"));
        (await Should.ThrowAsync<Npgsql.PostgresException>(bad)).SqlState.ShouldBe("22021");
        (await good).Accepted.ShouldBeTrue();
    }

    [Fact]
    public async Task States_beyond_the_caches_capacity_are_loaded_again()
    {
        await using var log = await TestLog.OpenAsync(o => o with { StateCacheWeight = 10 });
        var counters = Enumerable.Range(0, 100).Select(_ => Counters.New()).ToArray();
        for (var round = 1; round <= 3; round++)
            foreach (var counter in counters)
                (await log.ExecuteAsync(Counters.RaiseAndTell(counter))).Result.ShouldBe((long)round);
        counters.Count(c => log.Executor.TryGetState(c.Key, out _)).ShouldBeLessThanOrEqualTo(10);
        await log.ShouldBeConsistentAsync();
    }

    [Fact]
    public async Task Closing_commits_what_is_queued()
    {
        await using var log = await TestLog.OpenAsync();
        var counter = Counters.New();
        var raises = Enumerable.Range(0, 300).Select(_ => log.ExecuteAsync(Counters.Raise(counter))).ToArray();
        var node = log.Node;
        await log.CloseAsync(node);
        (await Task.WhenAll(raises)).ShouldAllBe(o => o.Accepted);
        await Should.ThrowAsync<ObjectDisposedException>(node.Executor.ExecuteAsync(Counters.Raise(counter), default));
        (await log.ScalarAsync<long>("select count(*) from mt_events")).ShouldBe(300);
    }
}
