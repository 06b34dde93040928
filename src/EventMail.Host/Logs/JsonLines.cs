using System.Buffers;
using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace EventMail.Host.Logs;

/// <summary>
/// One JSON object a line: time, level, logger, event_type, message, then the message's own fields in snake case
/// (`{ConnectionId}` becomes connection_id), exception. No name stands twice in a line.
/// </summary>
internal sealed class JsonLines() : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "eventmail-json";

    // The words of the log levels that operators' tools know.
    private static readonly string[] Levels = ["trace", "debug", "info", "warn", "error", "fatal"];

    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly ConcurrentDictionary<string, string> FieldNames = new();

    private static readonly string[] Ours = ["time", "level", "logger", "event_type", "message", "exception"];

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? t_line;

    [ThreadStatic]
    private static HashSet<string>? t_written;

    public override void Write<TState>(in LogEntry<TState> entry, IExternalScopeProvider? scopes, TextWriter output)
    {
        var line = t_line ??= new ArrayBufferWriter<byte>(512);
        line.ResetWrittenCount();
        var written = t_written ??= new(StringComparer.Ordinal);
        written.Clear();
        using (var json = new Utf8JsonWriter(line, Options))
        {
            json.WriteStartObject();
            json.WriteString("time", DateTime.UtcNow.ToString("O", CultureInfo.InvariantCulture));
            json.WriteString("level", Levels[(int)entry.LogLevel]);
            json.WriteString("logger", entry.Category);
            if (entry.EventId.Name is { } name)
                json.WriteString("event_type", FieldName(name));
            json.WriteString("message", entry.Formatter(entry.State, entry.Exception));
            WriteFields(json, entry.State, written);
            scopes?.ForEachScope(static (scope, line) => WriteFields(line.json, scope, line.written), (json, written));
            if (entry.Exception is { } exception)
                json.WriteString("exception", exception.ToString());
            json.WriteEndObject();
        }
        output.Write(Encoding.UTF8.GetString(line.WrittenSpan));
        output.Write('\n');
    }

    public static string FieldName(string name) => FieldNames.GetOrAdd(name, JsonNamingPolicy.SnakeCaseLower.ConvertName);

    // Readers keep one of two values under one name, and which one differs: the message's own field comes before a scope's, and one
    // that is named like ours gets another name.
    private static void WriteFields(Utf8JsonWriter json, object? state, HashSet<string> written)
    {
        if (state is not IEnumerable<KeyValuePair<string, object?>> fields)
            return;
        foreach (var (name, value) in fields)
        {
            if (name == "{OriginalFormat}")
                continue;
            var field = FieldName(name);
            if (Ours.Contains(field))
                field += "_field";
            if (!written.Add(field))
                continue;
            json.WritePropertyName(field);
            switch (value)
            {
                case null: json.WriteNullValue(); break;
                case bool flag: json.WriteBooleanValue(flag); break;
                case int number: json.WriteNumberValue(number); break;
                case long number: json.WriteNumberValue(number); break;
                case uint number: json.WriteNumberValue(number); break;
                case ulong number: json.WriteNumberValue(number); break;
                case double number when double.IsFinite(number): json.WriteNumberValue(number); break;
                case IFormattable other: json.WriteStringValue(other.ToString(null, CultureInfo.InvariantCulture)); break;
                default: json.WriteStringValue(value.ToString()); break;
            }
        }
    }
}
