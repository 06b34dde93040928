using EventMail.EventStore;
using Microsoft.Extensions.Logging;

namespace EventMail.Projections.Mailboxes;

internal static partial class MailboxLog
{
    [LoggerMessage(Level = LogLevel.Error, Message = "Work behind the mailboxes failed")]
    public static partial void BackgroundFailed(this ILogger log, Exception error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The view of mailbox {mailbox} could not be persisted; trying again later")]
    public static partial void SnapshotFailed(this ILogger log, Exception error, StreamKey mailbox);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Persisted the view of mailbox {mailbox} at version {version}: {messages} messages")]
    public static partial void SnapshotWritten(this ILogger log, StreamKey mailbox, long version, int messages);
}
