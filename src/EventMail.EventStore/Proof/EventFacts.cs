namespace EventMail.EventStore;

/// <summary>Everything of an event that its hash is over: what Marten's columns hold of it, its position in the whole log and is_archived apart.</summary>
/// <param name="ClrType">mt_dotnet_type.</param>
/// <param name="Time">In whole microseconds, as PostgreSQL keeps them.</param>
/// <param name="HeadersJson">UTF-8, as stored; its member hash is left out. Empty or a JSON null: none.</param>
/// <param name="DataJson">UTF-8, as stored.</param>
/// <param name="Previous">The hash of the event before it in its stream; null for the first, and for an event that has no hash of its own.</param>
public readonly record struct EventFacts(
    string Tenant, Guid Stream, long Version, Guid Id, string Type, string? ClrType, DateTimeOffset Time,
    string? User, string? Correlation, string? Causation, ReadOnlyMemory<byte> HeadersJson, ReadOnlyMemory<byte> DataJson, byte[]? Previous);
