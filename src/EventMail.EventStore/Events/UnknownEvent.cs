namespace EventMail.EventStore;

/// <summary>An event of a type that this program has not registered: another application's, or a newer version's.</summary>
public sealed record UnknownEvent(string Alias, string Json);

/// <summary>A row of mt_events whose data is not what its type says: it was damaged, or changed by hand.</summary>
public sealed record UnreadableEvent(string Alias, string Error);
