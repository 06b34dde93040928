namespace EventMail.EventStore;

/// <summary>A row that is not what the log says.</summary>
/// <param name="Key">The values that find it, as a JSON object.</param>
/// <param name="Live">The row as JSON (of a table whose key finds several an array of them); null: it is missing.</param>
/// <param name="Folded">What the log says it is; null: there is none.</param>
public sealed record RowDrift(string Model, string Table, string Key, string? Live, string? Folded);

/// <summary>A read model that was compared with the log.</summary>
/// <param name="Generation">The live one that was compared.</param>
/// <param name="Position">Up to where in the log.</param>
public sealed record VerifiedModel(string Name, int Generation, long Position, IReadOnlyList<RowDrift> Drifts)
{
    /// <summary>Only some of its rows were compared.</summary>
    public bool IsSample { get; init; }
}
