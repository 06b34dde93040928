namespace EventMail.EventStore;

/// <summary>Another program has changed a read model over to its version while this one was running.</summary>
public sealed class ReadModelVersionException(string message) : Exception(message);
