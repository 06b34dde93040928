namespace EventMail.EventStore.Embedded;

/// <summary>PostgreSQL could not be found, made, started or reached. The message tells a person what to do.</summary>
public sealed class EmbeddedPostgresException(string message, Exception? cause = null) : Exception(message, cause);
