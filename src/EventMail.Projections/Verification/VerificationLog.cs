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

    [LoggerMessage(Level = LogLevel.Error, Message = "The read models could not be verified; trying again")]
    public static partial void NotVerified(this ILogger log, Exception error);
}
