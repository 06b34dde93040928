namespace EventMail.EventStore;

/// <summary>The database holds Marten tables of another configuration, or was written by a newer version of this program.</summary>
public sealed class SchemaMismatchException(string message) : Exception(message);
