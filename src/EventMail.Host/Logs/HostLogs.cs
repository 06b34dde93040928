using EventMail.Host.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace EventMail.Host.Logs;

/// <summary>Logs go to standard error, so that standard output has only what was asked for: the ready line, a command's answer.</summary>
public static class HostLogs
{
    public static ILoggerFactory Create(LogSettings settings) => LoggerFactory.Create(logging =>
    {
        logging.SetMinimumLevel(settings.Level);
        // Four lines for each HTTP request, with all that its query says; there is one of our own, which says less of people and more of what was done.
        if (settings.Level == LogLevel.Information)
            logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.AddConsole(console =>
        {
            console.LogToStandardErrorThreshold = LogLevel.Trace;
            console.FormatterName = settings.Format == "json" ? JsonLines.FormatterName : PlainLines.FormatterName;
            // Rather lose log lines than let a slow terminal hold up mail.
            console.QueueFullMode = ConsoleLoggerQueueFullMode.DropWrite;
            console.MaxQueueLength = 10_000;
        });
        logging.Services.AddSingleton<ConsoleFormatter, JsonLines>();
        logging.Services.AddSingleton<ConsoleFormatter, PlainLines>();
    });
}
