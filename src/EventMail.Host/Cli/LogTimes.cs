using EventMail.EventStore;

namespace EventMail.Host.Cli;

/// <summary>Times of which the log can say something.</summary>
internal static class LogTimes
{
    /// <exception cref="CommandFailedException">It is no time, or one before the first event, or one that has not come.</exception>
    public static async Task<DateTimeOffset> ParseAsync(EventLog log, string text, CancellationToken stop)
    {
        var time = TimeArgument.Parse(text);
        if (time > DateTimeOffset.UtcNow)
            throw new CommandFailedException($"{text} is in the future: the log cannot say what will be.");
        await using var command = log.DataSource.CreateCommand("select timestamp from public.mt_events order by seq_id limit 1");
        return await command.ExecuteScalarAsync(stop) is DateTime first && time < first
            ? throw new CommandFailedException($"There was nothing at {text}: the log begins at {first:yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'}.")
            : time;
    }
}
