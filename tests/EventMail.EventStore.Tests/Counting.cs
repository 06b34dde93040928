using System.Text.Json.Serialization;
using Npgsql;

namespace EventMail.EventStore.Tests;

// A domain small enough to be read at once: counters that are named, raised and lowered.

public sealed record CounterNamed(string Name, string? Note);

public sealed record CounterRaised(int By, string Why);

public sealed record CounterLowered(int By);

/// <summary>Whose it is: personal, and what its state is folded from.</summary>
public sealed record CounterOwned(string Owner, int Since, OwnerContact[] Contacts, string? Note);

public sealed record OwnerContact(string Address, string Domain, string? Name);

/// <summary>Personal, and nothing is folded from it.</summary>
public sealed record CounterSeen(string By, OwnerContact? Contact, string[] Words);

[JsonSourceGenerationOptions]
[JsonSerializable(typeof(CounterNamed))]
[JsonSerializable(typeof(CounterRaised))]
[JsonSerializable(typeof(CounterLowered))]
[JsonSerializable(typeof(CounterOwned))]
[JsonSerializable(typeof(CounterSeen))]
internal sealed partial class CountingJson : JsonSerializerContext;

/// <param name="Digest">Depends on every event and its order.</param>
public sealed record Counter(string? Name, long Total, int Events, long Digest);

public class CounterKind : StreamKind
{
    public override string Name => "counter";

    public override object Empty(StreamKey key) => new Counter(null, 0, 0, 17);

    public override object Evolve(object state, StoredEvent e)
    {
        var counter = (Counter)state;
        counter = counter with { Events = counter.Events + 1, Digest = unchecked(counter.Digest * 31 + e.Version) };
        return e.Data switch
        {
            CounterNamed named => counter with { Name = named.Name },
            CounterRaised raised => counter with { Total = counter.Total + raised.By },
            CounterOwned owned => counter with { Name = owned.Owner },
            CounterSeen => counter,
            CounterLowered lowered => counter with { Total = counter.Total - lowered.By },
            _ => throw new InvalidOperationException($"{e.Type}?"),
        };
    }

    public override bool Ignores(string alias) => alias.StartsWith("foreign_", StringComparison.Ordinal);
}

/// <summary>A kind whose changes matter to nodes that have not loaded the stream.</summary>
public sealed class FollowedKind : CounterKind
{
    public override string Name => "followed_counter";

    public override bool FollowRemote => true;
}

/// <summary>Names are unique: the table's constraint says so.</summary>
public sealed class CounterNames : IInlineProjection
{
    public string Name => "names";

    public async Task CreateAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(
            "create table if not exists counter_name (id uuid primary key, name text not null constraint counter_name_taken unique)",
            connection);
        await command.ExecuteNonQueryAsync(cancel);
    }

    public void Fold(CommitBatch batch, NpgsqlBatch sql)
    {
        var named = batch.Changes.SelectMany(c => c.Events).Where(e => e.Data is CounterNamed).ToList();
        if (named.Count == 0)
            return;
        sql.BatchCommands.Add(new("insert into counter_name (id, name) select * from unnest($1::uuid[], $2::text[])")
        {
            Parameters =
            {
                new() { Value = named.Select(e => e.Stream.Id).ToArray() },
                new() { Value = named.Select(e => ((CounterNamed)e.Data).Name).ToArray() },
            },
        });
    }
}

/// <summary>A command written where it is used.</summary>
public sealed class Act(IReadOnlyList<StreamRef> streams, Action<Decision> decide, params StagedContent[] contents) : Command
{
    public Act(StreamRef stream, Action<Decision> decide, params StagedContent[] contents) : this([stream], decide, contents) { }

    public override IReadOnlyList<StreamRef> Streams => streams;

    public string? Session { get; init; } = "session-1";

    public override EventMetadata Metadata => new("alice@example.org", Session, "tag-7", """{"protocol": "test"}""");

    public override IReadOnlyList<StagedContent> Contents => contents;

    public override void Decide(Decision decision) => decide(decision);
}

public static class Counters
{
    public static readonly CounterKind Kind = new();
    public static readonly FollowedKind Followed = new();

    public static EventTypeMap Types() => new EventTypeMap()
        .Register("counter_named", CountingJson.Default.CounterNamed)
        .Register("counter_raised", CountingJson.Default.CounterRaised)
        .Register("counter_lowered", CountingJson.Default.CounterLowered)
        .Register("counter_owned", CountingJson.Default.CounterOwned)
        .Register("counter_seen", CountingJson.Default.CounterSeen)
        .Seal("counter_owned", new(folded: true, "Owner", "Note?", "Contacts.Address", "Contacts.Name?"))
        .Seal("counter_seen", new(folded: false, "By", "Contact.Address", "Words[]"));

    public static StreamRef New(string tenant = "t1") => new(Kind, new(tenant, Guid.CreateVersion7()));

    public static Act Raise(StreamRef counter, int by = 1) =>
        new(counter, d => d.Append(counter.Key, new CounterRaised(by, "because")));

    /// <summary>Answers the total after raising.</summary>
    public static Act RaiseAndTell(StreamRef counter) => new(counter, d =>
    {
        d.Append(counter.Key, new CounterRaised(1, "because"));
        d.Result = d.State<Counter>(counter.Key).Total;
    });

    public static Act Name(StreamRef counter, string name) => new(counter, d => d.Append(counter.Key, new CounterNamed(name, null)));
}
