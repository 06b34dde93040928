using EventMail.EventStore;
using Microsoft.Extensions.Logging;

namespace EventMail.Projections.Verification;

internal static partial class VerificationLog
{
    [LoggerMessage(Level = LogLevel.Error, Message =
        "{rows} rows of the read model {model} (generation {generation}) are not what the log says: {keys}. `eventmail projections verify {model}` prints them, `eventmail projections rebuild {model}` makes it anew")]
    public static partial void ReadModelDrifted(this ILogger log, string model, int generation, int rows, string keys);

    [LoggerMessage(Level = LogLevel.Information, Message = "The read model {model} (generation {generation}) is what the log says again")]
    public static partial void ReadModelDriftEnded(this ILogger log, string model, int generation);

    [LoggerMessage(Level = LogLevel.Information, Message = "Verified {models} read models up to position {position} of the log in {seconds:0} s; {drifted} have drifted")]
    public static partial void Verified(this ILogger log, int models, long position, double seconds, int drifted);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Verification of {models} waits: {why}")]
    public static partial void VerificationWaits(this ILogger log, string models, string why);

    [LoggerMessage(Level = LogLevel.Critical, Message =
        "ALARM: the log is not as it was written ({fault}), position {position}, stream {stream} version {version}: {what}. `eventmail audit verify` names all that is wrong; keep a copy of the database and of the checkpoints before anything else is done")]
    public static partial void LogAltered(this ILogger log, string fault, long? position, StreamKey stream, long? version, string what);

    [LoggerMessage(Level = LogLevel.Warning, Message = "What was altered in the log ({fault}, position {position}, stream {stream} version {version}) is as it was written again")]
    public static partial void LogAlterationEnded(this ILogger log, string fault, long? position, StreamKey stream, long? version);

    [LoggerMessage(Level = LogLevel.Information, Message = "Verified the hashes of the log up to position {position} in {seconds:0} s; {altered} alterations are known")]
    public static partial void LogVerified(this ILogger log, long position, double seconds, int altered);

    [LoggerMessage(Level = LogLevel.Error, Message = "The log could not be verified; trying again")]
    public static partial void LogNotVerified(this ILogger log, Exception error);

    [LoggerMessage(Level = LogLevel.Error, Message = "The read models could not be verified; trying again")]
    public static partial void NotVerified(this ILogger log, Exception error);
}
