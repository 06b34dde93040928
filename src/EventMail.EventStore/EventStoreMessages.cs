using Microsoft.Extensions.Logging;

namespace EventMail.EventStore;

internal static partial class EventStoreMessages
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Deleted {count} content files that nothing refers to")]
    public static partial void OrphansDeleted(this ILogger log, int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Looking for unreferenced content files failed; trying again later")]
    public static partial void OrphansFailed(this ILogger log, Exception error);

    [LoggerMessage(Level = LogLevel.Information, Message =
        "Made the folder of keys {folder}. Without it no stored mail can be read: back it up, apart from the database")]
    public static partial void KeysMade(this ILogger log, string folder);

    [LoggerMessage(Level = LogLevel.Error, Message = "Contents cannot be read")]
    public static partial void ContentsLocked(this ILogger log, Exception error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{path} is needed no more and could not be deleted; it is tried again later")]
    public static partial void FileNotDeleted(this ILogger log, Exception error, string path);

    [LoggerMessage(Level = LogLevel.Error, Message = "A wrapping key could not be made ahead of its need; trying again when it is needed")]
    public static partial void NextKeyFailed(this ILogger log, Exception error);

    [LoggerMessage(Level = LogLevel.Error, Message = "A follower of the commit feed failed")]
    public static partial void FollowerFailed(this ILogger log, Exception error);

    [LoggerMessage(Level = LogLevel.Warning, Message =
        "PostgreSQL runs with {setting} = {value}: what is acknowledged may be lost when the machine fails")]
    public static partial void NotDurable(this ILogger log, string setting, string value);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The committer lost its connection; connecting again")]
    public static partial void CommitterDisconnected(this ILogger log, Exception error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The committer cannot connect; next attempt in {delayMs} ms")]
    public static partial void CommitterCannotConnect(this ILogger log, Exception error, double delayMs);

    [LoggerMessage(Level = LogLevel.Information, Message = "The committer is connected again; the interrupted batch was {outcome}")]
    public static partial void CommitterReconnected(this ILogger log, string outcome);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Conflict ({code}) in a batch of {commands} commands; deciding again under locks")]
    public static partial void Conflict(this ILogger log, string code, int commands);

    [LoggerMessage(Level = LogLevel.Error, Message = "A command of type {command} failed")]
    public static partial void CommandFailed(this ILogger log, Exception error, string command);

    [LoggerMessage(Level = LogLevel.Error, Message = "A batch of {commands} commands failed in an unexpected way")]
    public static partial void BatchFailed(this ILogger log, Exception error, int commands);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The link to the other nodes broke; connecting again")]
    public static partial void LinkBroken(this ILogger log, Exception error);

    [LoggerMessage(Level = LogLevel.Information, Message = "Node {node} joined; {others} other nodes")]
    public static partial void NodeJoined(this ILogger log, Guid node, int others);

    [LoggerMessage(Level = LogLevel.Information, Message = "Node {node} left; {others} other nodes")]
    public static partial void NodeLeft(this ILogger log, Guid node, int others);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{nodes} nodes have not answered the greeting of this one; it goes on without")]
    public static partial void NodesSilent(this ILogger log, int nodes);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{nodes} nodes have not said that they know what this one committed; it leaves all the same")]
    public static partial void LeftUnseen(this ILogger log, int nodes);

    [LoggerMessage(Level = LogLevel.Error, Message = "Catching up with other nodes' commits failed; trying again")]
    public static partial void CatchUpFailed(this ILogger log, Exception error);

    [LoggerMessage(Level = LogLevel.Error, Message = "Projection {projection} failed; trying again in {delayMs} ms")]
    public static partial void ProjectionFailed(this ILogger log, Exception error, string projection, double delayMs);

    [LoggerMessage(Level = LogLevel.Information, Message =
        "Read models that are missing, or of another version than this program's, are built from the log before anybody is served: {models}")]
    public static partial void ReadModelsDue(this ILogger log, string models);

    [LoggerMessage(Level = LogLevel.Information, Message = "Building {models}: {share:0.0 %}, {rate:0} events a second, {left:0} seconds left")]
    public static partial void ReadModelsProgress(this ILogger log, string models, double share, double rate, double left);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Building {models} waits: {why}")]
    public static partial void ReadModelsWait(this ILogger log, string models, string why);

    [LoggerMessage(Level = LogLevel.Information, Message = "Built and live: {models}")]
    public static partial void ReadModelsBuilt(this ILogger log, string models);

    [LoggerMessage(Level = LogLevel.Error, Message = "{kind} stream {stream} cannot be read")]
    public static partial void StreamUnreadable(this ILogger log, Exception error, string kind, StreamKey stream);

    [LoggerMessage(Level = LogLevel.Error, Message =
        "The stream {stream} is in quarantine: its version {version} ({type}, public.mt_events seq_id {sequence}) {what}: {error}. It takes no commands until that row is repaired; all others go on")]
    public static partial void StreamQuarantined(this ILogger log, StreamKey stream, long version, string type, long sequence, string what, string error);

    [LoggerMessage(Level = LogLevel.Information, Message = "The stream {stream} can be read again: it is out of quarantine")]
    public static partial void StreamReleased(this ILogger log, StreamKey stream);

    [LoggerMessage(Level = LogLevel.Warning, Message = "What cannot be read in the log could not be written down or looked at again; trying again")]
    public static partial void QuarantineNotRefreshed(this ILogger log, Exception error);

    [LoggerMessage(Level = LogLevel.Information, Message = "Projection {projection} has taken up the event at position {sequence}, which it had passed over because it could not be read")]
    public static partial void EventTakenUp(this ILogger log, string projection, long sequence);

    [LoggerMessage(Level = LogLevel.Error, Message =
        "{kind} stream {stream} stands at version {version}, and the log has no such event: somebody removed it. See `eventmail audit verify`")]
    public static partial void LastEventMissing(this ILogger log, string kind, StreamKey stream, long version);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Waiting for the end of the log: {why}")]
    public static partial void EndHeldUp(this ILogger log, string why);
}
