using System.Text;
using Npgsql;

namespace EventMail.EventStore.Tests;

/// <summary>Events of old types that are read as several, or by another name, wherever the log is read.</summary>
public class SplitEventTests
{
    private static readonly EventTypeMap Types = OldCounters.Types();

    private static object Read(string alias, string json) => Types.TryRead(alias, Encoding.UTF8.GetBytes(json));

    private static Act Adjust(StreamRef counter, int up, int down) => new(counter, d => d.Append(counter.Key, new CounterAdjusted(up, down)));

    private static async Task<TestLog> OldLogAsync(StreamRef counter, int adjustments)
    {
        var log = await TestLog.CreateAsync();
        var old = await log.AddNodeAsync(types: OldCounters.OldTypes(), inline: [new NoTables()]);
        await old.Executor.ExecuteAsync(new Act(counter, d => d.Append(counter.Key, new CounterSetUp("spin", 100, 1))), default);
        for (var i = 0; i < adjustments; i++)
            await old.Executor.ExecuteAsync(Adjust(counter, 3, 1), default);
        await old.Executor.ExecuteAsync(new Act(counter, d => d.Append(counter.Key, new CounterNamed("span", null))), default);
        return log;
    }

    // What the old program made of its events is of no concern here.
    private static StreamRef NewOld() => new(new OldCounterKind(), new("t1", Guid.CreateVersion7()));

    private static StreamRef Now(StreamRef old) => new(Counters.Kind, old.Key);

    [Fact]
    public void A_renamed_type_is_read_by_its_old_alias_and_written_by_its_new_one()
    {
        Read("counter_called", """{"Name": "a", "Note": null}""").ShouldBe(new CounterNamed("a", null));
        Types.Of(new CounterNamed("a", null)).Alias.ShouldBe("counter_named");
        Should.Throw<ArgumentException>(() => OldCounters.Types().Renamed<CounterNamed>("counter_raised"));
        Should.Throw<ArgumentException>(() => new EventTypeMap().Renamed<CounterNamed>("counter_called"));
    }

    [Fact]
    public void A_split_event_is_read_as_its_parts_and_parts_that_are_old_are_read_as_theirs()
    {
        Read("counter_adjusted", """{"Up": 3, "Down": 1}""").ShouldBeOfType<SplitEvent>().Parts
            .ShouldBe([new CounterRaised(3, "adjusted"), new CounterLowered(1)]);
        Read("counter_set_up", """{"Name": "a", "Up": 3, "Down": 1}""").ShouldBeOfType<SplitEvent>().Parts
            .ShouldBe([new CounterNamed("a", null), new CounterRaised(3, "adjusted"), new CounterLowered(1)]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void What_is_split_into_nothing_or_into_what_was_not_said_is_unreadable(int parts)
    {
        var types = Counters.Types().Split("counter_adjusted", OlderCountingJson.Default.CounterAdjusted, [typeof(CounterRaised)],
            old => parts == 0 ? [] : [new CounterLowered(old.Down)]);
        types.TryRead("counter_adjusted", """{"Up": 3, "Down": 1}"""u8).ShouldBeOfType<UnreadableEvent>().Error.ShouldContain("counter_adjusted");
    }

    [Fact]
    public void What_an_alias_is_read_as_and_what_is_read_as_an_alias_is_known()
    {
        Types.ReadAs("counter_set_up").Select(t => t.Alias).ShouldBe(["counter_named", "counter_raised", "counter_lowered"], ignoreOrder: true);
        Types.StoredAs(["counter_named"]).ShouldBe(["counter_named", "counter_called", "counter_set_up", "counter_muddled"], ignoreOrder: true);
        Types.StoredAs(["counter_lowered", "order_placed"])
            .ShouldBe(["counter_lowered", "order_placed", "counter_adjusted", "counter_set_up"], ignoreOrder: true);
        Types.StoredAs(["counter_called"]).ShouldBe(["counter_called"]);
        Should.Throw<ArgumentException>(() => new EventTypeMap()
            .Upcast("counter_raised", OldCountingJson.Default.CounterRaisedV1, (CounterRaisedV1 old) => new CounterRaisedV2(old.Amount))
            .ReadAs("counter_raised")).Message.ShouldContain(nameof(CounterRaisedV2));
    }

    [Fact]
    public async Task Commands_go_on_behind_split_events_and_both_parts_have_the_version_of_their_row()
    {
        var counter = NewOld();
        await using var log = await OldLogAsync(counter, adjustments: 2);
        var node = await log.AddNodeAsync(types: OldCounters.Types());
        (await node.Executor.ExecuteAsync(Counters.RaiseAndTell(Now(counter)), default)).Result.ShouldBe(99L + 2 * 2 + 1);

        var events = await node.Reader.ReadStreamAsync(counter.Key).ToListAsync();
        events.Select(e => (e.Version, e.Part, e.Parts)).ShouldBe(
            [(1, 1, 3), (1, 2, 3), (1, 3, 3), (2, 1, 2), (2, 2, 2), (3, 1, 2), (3, 2, 2), (4, 1, 1), (5, 1, 1)]);
        events.Select(e => e.Id).Distinct().Count().ShouldBe(5);
        events.Where(e => e.EndsRow).Select(e => e.Sequence).ShouldBeUnique();
        (await node.Reader.ReadStreamAsync(counter.Key, 2, 2).CountAsync()).ShouldBe(2);
        await log.ShouldBeConsistentAsync();
    }

    [Fact]
    public async Task What_is_asked_for_by_a_type_of_today_is_found_under_its_older_names()
    {
        var counter = NewOld();
        await using var log = await OldLogAsync(counter, adjustments: 2);
        var node = await log.AddNodeAsync(types: OldCounters.Types());
        (await node.Reader.ReadStreamAsync(counter.Key, types: ["counter_named"]).Where(e => e.Data is CounterNamed).Select(e => ((CounterNamed)e.Data).Name).ToListAsync())
            .ShouldBe(["spin", "span"]);
        (await node.Reader.ReadHistoryAsync(new() { Types = ["counter_lowered"] }).CountAsync(e => e.Data is CounterLowered)).ShouldBe(3);
        (await node.Reader.ReadHistoryAsync(new() { Types = ["counter_called"] }).SingleAsync()).Data.ShouldBe(new CounterNamed("span", null));
    }

    /// <summary>Adds up; its first page fails behind its first event.</summary>
    private sealed class Balances : IAsyncProjection
    {
        private bool _failed;

        public List<IReadOnlyList<StoredEvent>> Pages { get; } = [];

        public string Name => "Balances";

        public int PageSize => 4;

        public async Task CreateAsync(NpgsqlConnection connection, CancellationToken cancel)
        {
            await using var command = new NpgsqlCommand("create table if not exists balance (n bigint)", connection);
            await command.ExecuteNonQueryAsync(cancel);
        }

        public async Task ApplyAsync(NpgsqlTransaction transaction, IReadOnlyList<StoredEvent> events, CancellationToken cancel)
        {
            Pages.Add(events);
            foreach (var e in events)
            {
                await using var command = new NpgsqlCommand("insert into balance values ($1)", transaction.Connection, transaction)
                {
                    Parameters = { new() { Value = e.Data switch { CounterRaised up => up.By, CounterLowered down => -down.By, _ => 0L } } },
                };
                await command.ExecuteNonQueryAsync(cancel);
                if (!_failed)
                {
                    _failed = true;
                    throw new InvalidTimeZoneException("once");
                }
            }
        }
    }

    [Fact]
    public async Task A_page_of_a_follower_never_ends_within_a_row()
    {
        var counter = NewOld();
        await using var log = await OldLogAsync(counter, adjustments: 20);
        var balances = new Balances();
        var node = await log.AddNodeAsync(projections: [balances], types: OldCounters.Types());
        await node.Projections.WaitForAsync("Balances", default);
        (await log.ScalarAsync<decimal>("select sum(n) from balance")).ShouldBe(99 + 20 * 2);
        balances.Pages.Count.ShouldBeGreaterThan(5);
        balances.Pages.ShouldAllBe(page => page.Last().EndsRow && page.First().Part == 1);
    }

    [Fact]
    public async Task A_node_follows_the_old_program_that_still_writes_beside_it()
    {
        var counter = NewOld();
        await using var log = await OldLogAsync(counter, adjustments: 1);
        var node = await log.AddNodeAsync(types: OldCounters.Types());
        (await node.Executor.ExecuteAsync(Counters.RaiseAndTell(Now(counter)), default)).Result.ShouldBe(99L + 2 + 1);
        for (var i = 0; i < 3; i++)
            await log.Executor.ExecuteAsync(Adjust(counter, 10, 1), default);
        await TestLog.EventuallyAsync(() => node.Executor.TryGetState(counter.Key, out var state) && state is { Version: 7, State: Counter { Total: 99 + 2 + 1 + 3 * 9 } });
        (await node.Executor.ExecuteAsync(Counters.RaiseAndTell(Now(counter)), default)).Result.ShouldBe(99L + 2 + 1 + 3 * 9 + 1);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(1000)]
    public async Task A_rebuild_folds_the_parts_of_a_row_together(int pageSize)
    {
        var counter = NewOld();
        await using var log = await OldLogAsync(counter, adjustments: 7);
        var totals = new CounterTotals();
        var node = await log.AddNodeAsync(types: OldCounters.Types(), inline: [totals]);
        await node.Executor.ExecuteAsync(Counters.Raise(Now(counter)), default);
        await Generations(log, totals, pageSize).RebuildAsync([], true, _ => Task.CompletedTask, default);
        (await log.ScalarAsync<string>("select format('%s %s %s %s', version, total, raised, events) from projections.counter_total"))
            .ShouldBe($"10 {99 + 7 * 2 + 1} {100 + 7 * 3 + 1} {3 + 7 * 2 + 1 + 1}");
    }

    /// <summary>Does not take a name twice.</summary>
    private sealed class OnceNamed : CounterKind
    {
        public override object Evolve(object state, StoredEvent e) =>
            e.Data is CounterNamed && ((Counter)state).Name is not null ? throw new InvalidOperationException("named twice") : base.Evolve(state, e);
    }

    [Fact]
    public async Task Of_a_row_that_cannot_be_folded_to_its_end_a_rebuild_takes_nothing()
    {
        var counter = NewOld();
        await using var log = await TestLog.CreateAsync();
        var old = await log.AddNodeAsync(types: OldCounters.OldTypes(), inline: [new NoTables()]);
        await old.Executor.ExecuteAsync(new Act(counter, d => d.Append(counter.Key, new CounterSetUp("spin", 100, 1))), default);
        await old.Executor.ExecuteAsync(new Act(counter, d => d.Append(counter.Key, new CounterMuddled(50))), default);
        var totals = new CounterTotals();
        await log.AddNodeAsync(types: OldCounters.Types(), inline: [totals]);
        await Generations(log, totals, 100, new OnceNamed()).RebuildAsync([], true, _ => Task.CompletedTask, default);
        (await log.ScalarAsync<string>("select format('%s %s %s', version, total, raised) from projections.counter_total")).ShouldBe("1 99 100");
        (await log.ScalarAsync<string>("select format('%s %s', version, error) from eventmail.unreadable_event")).ShouldBe("2 named twice");
    }

    private static Generations Generations(TestLog log, IReadModel model, int pageSize, StreamKind? kind = null) => new(new()
    {
        ConnectionString = log.ConnectionString,
        Types = OldCounters.Types(),
        DataFolder = log.Folder,
        Kinds = [kind ?? Counters.Kind, Counters.Followed],
        Models = [model],
        PageSize = pageSize,
    });
}
