using Microsoft.Extensions.Logging;

namespace EventMail.Host.Audit;

internal static partial class AuditLog
{
    [LoggerMessage(Level = LogLevel.Information, Message =
        "Made {file}, the key that signs checkpoints of the log. Its public key, for those who are to hold them: {key}")]
    public static partial void KeyMade(this ILogger log, string file, string key);

    [LoggerMessage(Level = LogLevel.Information, Message = "Signed a checkpoint: {size} events, root {root}")]
    public static partial void CheckpointSigned(this ILogger log, long size, string root);

    [LoggerMessage(Level = LogLevel.Critical, Message = "{conflict}")]
    public static partial void CheckpointConflict(this ILogger log, string conflict);

    [LoggerMessage(Level = LogLevel.Error, Message = "Signing a checkpoint failed; it is tried again at the next one's time")]
    public static partial void CheckpointFailed(this ILogger log, Exception error);

    [LoggerMessage(Level = LogLevel.Error, Message = "Appending to the log's tree failed; trying again in {delayMs} ms")]
    public static partial void TreeFailed(this ILogger log, Exception error, double delayMs);

    [LoggerMessage(Level = LogLevel.Information, Message = "The log's tree was brought up to date by {events} events")]
    public static partial void TreeCaughtUp(this ILogger log, long events);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The checkpoint of {size} events did not reach {sink} in attempt {attempt}: {reason}. It is kept in the folder of checkpoints, and tried again; see that it is there and reachable")]
    public static partial void CheckpointNotTaken(this ILogger log, string sink, long size, int attempt, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Checkpoints reach {sink} again, in attempt {attempt}")]
    public static partial void CheckpointTakenAgain(this ILogger log, string sink, int attempt);
}
