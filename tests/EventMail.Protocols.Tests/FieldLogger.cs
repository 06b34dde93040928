using Microsoft.Extensions.Logging;

namespace EventMail.Protocols.Tests;

/// <summary>Keeps what was logged, with its fields.</summary>
internal sealed class FieldLogger : ILogger
{
    private readonly List<(LogLevel, string, Dictionary<string, object?>)> _entries = [];

    public IReadOnlyList<(LogLevel Level, string Message, Dictionary<string, object?> Fields)> Entries
    {
        get
        {
            lock (_entries)
                return [.. _entries];
        }
    }

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        var fields = (IReadOnlyList<KeyValuePair<string, object?>>)state!;
        lock (_entries)
            _entries.Add((logLevel, formatter(state, exception), fields.ToDictionary(f => f.Key, f => f.Value)));
    }
}
