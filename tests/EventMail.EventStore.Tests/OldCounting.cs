using System.Text.Json.Serialization;
using Npgsql;

namespace EventMail.EventStore.Tests;

// Counters as an older program wrote them: one event said up and down at once, and another one of today had another name.

public sealed record CounterAdjusted(int Up, int Down);

public sealed record CounterSetUp(string Name, int Up, int Down);

public sealed record CounterMuddled(int Up);

[JsonSerializable(typeof(CounterAdjusted))]
[JsonSerializable(typeof(CounterSetUp))]
[JsonSerializable(typeof(CounterMuddled))]
internal sealed partial class OlderCountingJson : JsonSerializerContext;

internal static class OldCounters
{
    public static EventTypeMap OldTypes() => new EventTypeMap()
        .Register("counter_called", CountingJson.Default.CounterNamed)
        .Register("counter_raised", CountingJson.Default.CounterRaised)
        .Register("counter_adjusted", OlderCountingJson.Default.CounterAdjusted)
        .Register("counter_set_up", OlderCountingJson.Default.CounterSetUp)
        .Register("counter_muddled", OlderCountingJson.Default.CounterMuddled);

    /// <summary>Today's, which read all of the old ones; those that were set up are split into one that is split again.</summary>
    public static EventTypeMap Types() => Counters.Types()
        .Renamed<CounterNamed>("counter_called")
        .Split("counter_adjusted", OlderCountingJson.Default.CounterAdjusted, [typeof(CounterRaised), typeof(CounterLowered)],
            old => [new CounterRaised(old.Up, "adjusted"), new CounterLowered(old.Down)])
        .Split("counter_set_up", OlderCountingJson.Default.CounterSetUp, [typeof(CounterNamed), typeof(CounterAdjusted)],
            old => [new CounterNamed(old.Name, null), new CounterAdjusted(old.Up, old.Down)])
        .Split("counter_muddled", OlderCountingJson.Default.CounterMuddled, [typeof(CounterRaised), typeof(CounterNamed)],
            old => [new CounterRaised(old.Up, "muddled"), new CounterNamed("muddled", null)]);
}

/// <summary>Knows the old events as today's program does not: by themselves.</summary>
public sealed class OldCounterKind : CounterKind
{
    public override object Evolve(object state, StoredEvent e) => state;
}

/// <summary>Folds the old program's own events, for its own purposes only: nothing.</summary>
internal sealed class NoTables : IInlineProjection
{
    public string Name => "none";

    public Task CreateAsync(NpgsqlConnection connection, CancellationToken cancel) => Task.CompletedTask;

    public void Fold(CommitBatch batch, NpgsqlBatch sql)
    {
    }
}

/// <summary>What counters stand at, and what they were told: a row each, folded with the commits.</summary>
internal sealed class CounterTotals : IInlineProjection
{
    public string Name => "totals";

    public IReadOnlyList<string> Tables => ["counter_total"];

    public async Task CreateAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(
            "create table if not exists counter_total (id uuid primary key, version bigint not null, total bigint not null, raised bigint not null, events int not null)",
            connection);
        await command.ExecuteNonQueryAsync(cancel);
    }

    public void Fold(CommitBatch batch, NpgsqlBatch sql)
    {
        foreach (var change in batch.Changes)
        {
            var after = (Counter)change.After;
            sql.BatchCommands.Add(new("""
                insert into counter_total as t values ($1, $2, $3, $4, $5)
                on conflict (id) do update set version = excluded.version, total = excluded.total, raised = t.raised + excluded.raised, events = excluded.events
                """)
            {
                Parameters =
                {
                    new() { Value = change.Key.Id }, new() { Value = change.ToVersion }, new() { Value = after.Total },
                    new() { Value = change.Events.Sum(e => (long)((e.Data as CounterRaised)?.By ?? 0)) }, new() { Value = after.Events },
                },
            });
        }
    }
}
