using System.Collections.Immutable;

namespace EventMail.Domain.ReadModels;

/// <summary>Which read models are known to have drifted, folded from their stream. Immutable.</summary>
/// <param name="Open">By the read model's name.</param>
public sealed record ReadModelAlarms(ImmutableSortedDictionary<string, ReadModelDrifted> Open)
{
    public static readonly ReadModelAlarms None = new(ImmutableSortedDictionary.Create<string, ReadModelDrifted>(StringComparer.Ordinal));

    /// <summary>Keys of a table that an event names.</summary>
    public const int MaxKeys = 10;

    public ReadModelAlarms Evolve(object @event) => @event switch
    {
        ReadModelDrifted e => new(Open.SetItem(e.Model, e)),
        ReadModelDriftEnded e => new(Open.Remove(e.Model)),
        _ => throw new ArgumentException($"not an event of read models: {@event.GetType().Name}", nameof(@event)),
    };

    /// <summary>What a verification's finding is worth telling: nothing that was told before.</summary>
    /// <param name="found">Without tables when nothing has drifted.</param>
    /// <param name="isSample">Other rows were compared the last time: how many differ says nothing, and only keys that were not told are new.</param>
    /// <returns>The event, or null.</returns>
    public object? Note(ReadModelDrifted found, bool isSample = false) =>
        found.Tables.Length == 0 ? (Open.ContainsKey(found.Model) ? new ReadModelDriftEnded(found.Model, found.Generation, found.Position) : null)
        : Open.TryGetValue(found.Model, out var known) && known.Generation == found.Generation && (isSample ? Holds(known.Tables, found.Tables) : IsSame(known.Tables, found.Tables)) ? null
        : found;

    private static bool Holds(DriftedTable[] known, DriftedTable[] found) =>
        found.All(f => known.Any(k => k.Table == f.Table && (k.Keys.Length >= MaxKeys || f.Keys.All(k.Keys.Contains))));

    private static bool IsSame(DriftedTable[] some, DriftedTable[] others) =>
        some.Length == others.Length
        && some.Zip(others).All(pair => pair.First.Table == pair.Second.Table && pair.First.Rows == pair.Second.Rows && pair.First.Keys.SequenceEqual(pair.Second.Keys));
}
