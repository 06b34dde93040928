using Microsoft.Extensions.Logging;

namespace EventMail.EventStore.Embedded;

internal static partial class EmbeddedPostgresLog
{
    [LoggerMessage(Level = LogLevel.Information, Message = "PostgreSQL {version} started in {folder} (pid {pid})")]
    public static partial void Started(this ILogger log, int version, string folder, int pid);

    [LoggerMessage(Level = LogLevel.Information, Message = "Making a PostgreSQL {version} cluster in {folder}, run by {account}")]
    public static partial void Initializing(this ILogger log, int version, string folder, string account);

    [LoggerMessage(Level = LogLevel.Warning, Message =
        "PostgreSQL runs as {account}, who cannot enter {dataFolder}: its files go to {folder} instead")]
    public static partial void PlacedElsewhere(this ILogger log, string account, string dataFolder, string folder);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Found PostgreSQL (pid {pid}) running without its server: stopping it first")]
    public static partial void OrphanFound(this ILogger log, int pid);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Joined the PostgreSQL that already runs (pid {pid})")]
    public static partial void Joined(this ILogger log, int pid);

    [LoggerMessage(Level = LogLevel.Error, Message = "PostgreSQL (pid {pid}) ended by itself: starting it again")]
    public static partial void Crashed(this ILogger log, int pid);

    [LoggerMessage(Level = LogLevel.Error, Message = "PostgreSQL could not be started again; next attempt in {delayMs} ms")]
    public static partial void RestartFailed(this ILogger log, Exception error, double delayMs);

    [LoggerMessage(Level = LogLevel.Information, Message = "PostgreSQL stopped")]
    public static partial void Stopped(this ILogger log);

    [LoggerMessage(Level = LogLevel.Information, Message = "PostgreSQL goes on for another eventmail process that uses it")]
    public static partial void LeftToOthers(this ILogger log);

    [LoggerMessage(Level = LogLevel.Warning, Message = "PostgreSQL took too long to stop and was stopped at once; the next start recovers")]
    public static partial void StoppedAtOnce(this ILogger log);
}
