namespace EventMail.EventStore;

/// <summary>An event of a type that this program has not registered: another application's, or a newer version's.</summary>
public sealed record UnknownEvent(string Alias, string Json);
