using Npgsql;

namespace EventMail.EventStore;

/// <summary>What a failed write means.</summary>
internal static class Faults
{
    /// <summary>Others wrote to the same rows: deciding again on the new states will do.</summary>
    public static bool IsConflict(PostgresException e) => e.SqlState switch
    {
        BatchWriter.StreamConflict or BatchWriter.ContentConflict or BatchWriter.SubjectConflict or BatchWriter.TermConflict => true,
        PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure => true,
        PostgresErrorCodes.UniqueViolation => e.TableName is "mt_streams" or "mt_events" || IsOurs(e),
        _ => false,
    };

    /// <summary>The connection, or the server, is gone; what it was doing may or may not have been committed.</summary>
    public static bool IsLoss(Exception e) => e switch
    {
        PostgresException p => p.SqlState is PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown
            or PostgresErrorCodes.CannotConnectNow or "57P05" || p.SqlState.StartsWith("08", StringComparison.Ordinal),
        // A fault of ours, or a file that is not there: it will be the same the next time.
        NpgsqlOperationInProgressException or FileNotFoundException or DirectoryNotFoundException => false,
        NpgsqlException or IOException or System.Net.Sockets.SocketException or TimeoutException => true,
        _ => false,
    };

    /// <summary>An inline projection's constraint refused a row.</summary>
    public static bool IsConstraint(PostgresException e) =>
        e.SqlState == PostgresErrorCodes.UniqueViolation && !IsConflict(e)
        || e is { SqlState: PostgresErrorCodes.ForeignKeyViolation, SchemaName: not "public" };

    private static bool IsOurs(PostgresException e) => e is { SchemaName: "eventmail", TableName: "content" };
}
