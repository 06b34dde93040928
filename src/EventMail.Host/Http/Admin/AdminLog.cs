using EventMail.Projections.Accounts;
using Microsoft.Extensions.Logging;

namespace EventMail.Host.Http.Admin;

internal static partial class AdminLog
{
    [LoggerMessage(Level = LogLevel.Information, Message = "HTTP {method} {path} by api:{key} from {client}: {status} after {durationMs} ms (session {session})")]
    public static partial void Answered(this ILogger log, string method, string path, string key, string client, int status, long durationMs, string session);

    [LoggerMessage(Level = LogLevel.Warning, Message = "HTTP: a wrong API key from {client}")]
    public static partial void WrongKey(this ILogger log, ClientPrefix client);

    [LoggerMessage(Level = LogLevel.Warning, Message = "HTTP: {failures} wrong API keys within a minute from {client}; further ones are told 429 and not logged")]
    public static partial void TooManyWrongKeys(this ILogger log, ClientPrefix client, int failures);

    [LoggerMessage(Level = LogLevel.Error, Message = "HTTP: that {client} guesses API keys could not be written to the log")]
    public static partial void ThrottlingNotWritten(this ILogger log, Exception error, ClientPrefix client);

    [LoggerMessage(Level = LogLevel.Error, Message = "HTTP: whether an API key counts could not be looked up")]
    public static partial void KeysUnknown(this ILogger log, Exception error);

    [LoggerMessage(Level = LogLevel.Error, Message = "HTTP {method} {path} failed (session {session})")]
    public static partial void Failed(this ILogger log, Exception error, string method, string path, string session);

    [LoggerMessage(Level = LogLevel.Information, Message = "HTTP: the job {kind} {job} is over: {state} (session {session})")]
    public static partial void JobOver(this ILogger log, string kind, string job, Jobs.JobState state, string session);

    [LoggerMessage(Level = LogLevel.Warning, Message = "HTTP: an event stream waits for the database (session {session})")]
    public static partial void StreamInterrupted(this ILogger log, Exception error, string session);

    [LoggerMessage(Level = LogLevel.Error, Message = "HTTP: the job {job} failed (session {session})")]
    public static partial void JobFailed(this ILogger log, Exception error, string job, string session);
}
