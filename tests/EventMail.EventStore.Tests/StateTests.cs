using FsCheck;
using FsCheck.Fluent;

namespace EventMail.EventStore.Tests;

public class StateTests
{
    /// <summary>As a counter, but knows which of two ways it was loaded.</summary>
    private static LoadedState Rich(LoadedState state) => state with { State = (Counter)state.State with { Name = "rich" } };

    [Fact]
    public async Task An_installed_state_replaces_the_cached_one_and_goes_on_from_there()
    {
        await using var log = await TestLog.OpenAsync();
        var counter = Counters.New();
        await log.ExecuteAsync(Counters.Raise(counter));
        var old = await log.Executor.StateAsync(counter, default);
        await log.ExecuteAsync(Counters.Raise(counter));
        await log.Executor.InstallAsync(counter, Rich(old), default); // lags behind by one
        var state = await log.Executor.StateAsync(counter, default);
        state.Version.ShouldBe(2);
        ((Counter)state.State).ShouldSatisfyAllConditions(c => c.Name.ShouldBe("rich"), c => c.Total.ShouldBe(2));
        await log.ExecuteAsync(Counters.Raise(counter));
        ((Counter)(await log.Executor.StateAsync(counter, default)).State).ShouldSatisfyAllConditions(
            c => c.Name.ShouldBe("rich"), c => c.Total.ShouldBe(3));
    }

    [Fact]
    public async Task A_state_installed_while_commands_are_committed_loses_nothing()
    {
        await using var log = await TestLog.OpenAsync();
        var counter = Counters.New();
        await log.ExecuteAsync(Counters.Raise(counter));
        var writing = Task.Run(async () =>
        {
            for (var i = 0; i < 300; i++)
                await log.ExecuteAsync(Counters.Raise(counter));
        });
        while (!writing.IsCompleted)
            await log.Executor.InstallAsync(counter, Rich(await log.Executor.StateAsync(counter, default)), default);
        await writing;
        var state = await log.Executor.StateAsync(counter, default);
        state.Version.ShouldBe(301);
        ((Counter)state.State).ShouldSatisfyAllConditions(c => c.Name.ShouldBe("rich"), c => c.Total.ShouldBe(301));
    }

    [Fact]
    public async Task A_stream_whose_id_was_just_made_is_not_looked_for_and_one_that_exists_after_all_is()
    {
        await using var log = await TestLog.OpenAsync();
        var kind = new WatchedKind();
        var counter = new StreamRef(kind, Counters.New().Key) { IsNew = true };
        (await log.ExecuteAsync(Counters.RaiseAndTell(counter))).Result.ShouldBe(1L);
        kind.Loads.ShouldBe(0);
        var other = await log.AddNodeAsync();
        (await other.Executor.ExecuteAsync(Counters.RaiseAndTell(counter), default)).Result.ShouldBe(2L);
        kind.Loads.ShouldBeGreaterThan(0);
    }

    private sealed class WatchedKind : CounterKind
    {
        public int Loads { get; private set; }

        public override Task<IReadOnlyDictionary<StreamKey, LoadedState>> LoadAsync(
            Npgsql.NpgsqlConnection connection, EventReader reader, IReadOnlyList<StreamKey> keys, CancellationToken cancel)
        {
            Loads++;
            return base.LoadAsync(connection, reader, keys, cancel);
        }
    }

    [Fact]
    public async Task The_cached_state_is_there_without_waiting_when_a_command_completes()
    {
        await using var log = await TestLog.OpenAsync();
        var counter = Counters.New();
        log.Executor.TryGetState(counter.Key, out _).ShouldBeFalse();
        for (var i = 1; i <= 20; i++)
        {
            await log.ExecuteAsync(Counters.Raise(counter));
            log.Executor.TryGetState(counter.Key, out var state).ShouldBeTrue();
            state.Version.ShouldBe(i);
        }
    }

    [Fact]
    public void The_cache_keeps_what_is_used_and_stays_within_its_weight()
    {
        var cache = new StateCache(100);
        var hot = Counters.New().Key;
        cache.Put(Counters.Kind, hot, new("hot", 1));
        for (var i = 0; i < 1000; i++)
        {
            cache.Put(Counters.Kind, Counters.New().Key, new("cold", 1));
            cache.TryGet(hot, out _, out _).ShouldBeTrue();
        }
        cache.Weight.ShouldBe(100);
        cache.Count.ShouldBe(100);
        cache.Remove(hot);
        cache.TryGet(hot, out _, out _).ShouldBeFalse();
        cache.Weight.ShouldBe(99);
    }

    private sealed record Step(int Node, int[] Counters, int Kind);

    private static readonly Gen<Step> Steps =
        from node in Gen.Choose(0, 2)
        from counters in Gen.ArrayOf(Gen.Choose(0, 4))
        from kind in Gen.Choose(0, 5)
        select new Step(node, [.. counters.Distinct().Take(3)], kind);

    // Raise, lower, several events, reject if too low, throw, or a unique name.
    private static Act ToCommand(Step step, StreamRef[] counters)
    {
        StreamRef[] streams = [.. step.Counters.Select(i => counters[i])];
        return new(streams, d =>
        {
            foreach (var stream in streams)
            {
                var counter = d.State<Counter>(stream.Key);
                d.Version(stream.Key).ShouldBe(counter.Events);
                d.Append(stream.Key, step.Kind == 1 ? new CounterLowered(1) : new CounterRaised(2, "step"));
                if (step.Kind == 2)
                    d.Append(stream.Key, new CounterRaised(3, "more"));
                if (step.Kind == 3 && counter.Total < 3)
                    d.Reject("too low");
                if (step.Kind == 4 && counter.Total % 2 == 0)
                    throw new InvalidTimeZoneException();
                if (step.Kind == 5)
                    d.Append(stream.Key, new CounterNamed($"name {counter.Total % 4}", null));
            }
        });
    }

    [Fact]
    public async Task Whatever_several_nodes_do_every_state_equals_a_fresh_fold_of_the_log()
    {
        await using var log = await TestLog.OpenAsync();
        EventLog[] nodes = [log.Node, await log.AddNodeAsync(), await log.AddNodeAsync(o => o with { StateCacheWeight = 2 })];
        foreach (var steps in Steps.ListOf(60).Sample(15))
        {
            var counters = Enumerable.Range(0, 5).Select(_ => Counters.New()).ToArray();
            await Task.WhenAll(steps.Select(step => Task.Run(async () =>
            {
                try
                {
                    await nodes[step.Node].Executor.ExecuteAsync(ToCommand(step, counters), default);
                }
                catch (InvalidTimeZoneException)
                {
                    // As the step wants it.
                }
            })));
            await using var connection = await log.DataSource.OpenConnectionAsync();
            var fresh = await log.Node.Reader.FoldAsync(Counters.Kind, connection, [.. counters.Select(c => c.Key)], default);
            foreach (var counter in counters)
            {
                var expected = fresh.GetValueOrDefault(counter.Key, new(Counters.Kind.Empty(counter.Key), 0));
                foreach (var node in nodes)
                {
                    (await node.Executor.RefreshAsync(counter, default)).ShouldBe(expected);
                    await TestLog.EventuallyAsync(() => !node.Executor.TryGetState(counter.Key, out var state) || state == expected);
                }
            }
            await log.ShouldBeConsistentAsync();
        }
    }
}
