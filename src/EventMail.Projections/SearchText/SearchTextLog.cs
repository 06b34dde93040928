using Microsoft.Extensions.Logging;

namespace EventMail.Projections.SearchText;

internal static partial class SearchTextLog
{
    [LoggerMessage(Level = LogLevel.Warning, Message =
        "PostgreSQL's extension pg_trgm is missing: SEARCH BODY and TEXT read every message's text. Install PostgreSQL's contrib package, "
        + "run \"create extension pg_trgm\" in this database as its owner or a superuser, and start again")]
    public static partial void NoTrigrams(this ILogger log);

    [LoggerMessage(Level = LogLevel.Information, Message = "Indexing texts for SEARCH: at event {position} of {last}, {contents} messages so far")]
    public static partial void IndexProgress(this ILogger log, long position, long last, long contents);

    [LoggerMessage(Level = LogLevel.Information, Message = "Indexing texts for SEARCH has caught up: {contents} messages in {seconds} s")]
    public static partial void IndexCaughtUp(this ILogger log, long contents, long seconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Content {number} cannot be indexed; searches read it themselves")]
    public static partial void NotIndexed(this ILogger log, Exception error, long number);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The search index does not answer; searching without it")]
    public static partial void IndexFailed(this ILogger log, Exception error);
}
