using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace EventMail.Host.Logs;

/// <summary>One line for a person: local time, level, what happened.</summary>
internal sealed class PlainLines() : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "eventmail-text";

    private static readonly string[] Levels = ["trace", "debug", "info ", "warn ", "error", "fatal"];

    public override void Write<TState>(in LogEntry<TState> entry, IExternalScopeProvider? scopes, TextWriter output)
    {
        output.Write(DateTime.Now.ToString("yyyy-MM-dd HH:mm:ss.fff ", CultureInfo.InvariantCulture));
        output.Write(Levels[(int)entry.LogLevel]);
        output.Write(' ');
        output.Write(OnOneLine(entry.Formatter(entry.State, entry.Exception)));
        output.Write('\n');
        if (entry.Exception is { } exception)
        {
            output.Write(exception.ToString());
            output.Write('\n');
        }
    }

    /// <summary>What clients send reaches messages: it must not be able to forge lines or steer the terminal, not by C1 either.</summary>
    public static string OnOneLine(string message) => message.Any(char.IsControl)
        ? string.Concat(message.Select(c => char.IsControl(c) ? $"\\x{(int)c:x2}" : c.ToString()))
        : message;
}
