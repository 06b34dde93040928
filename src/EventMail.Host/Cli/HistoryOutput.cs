using System.Globalization;
using EventMail.Host.Logs;
using EventMail.Projections.History;

namespace EventMail.Host.Cli;

/// <summary>Writes events one by one, each at once.</summary>
internal abstract class HistoryOutput
{
    /// <param name="whose">Lines say which account an event is of: more than one was asked for.</param>
    public static HistoryOutput Of(string format, bool whose) => format switch
    {
        "json" => new JsonLines(),
        "csv" => new Csv(),
        _ => new Text(whose),
    };

    /// <returns>False: nobody reads any more.</returns>
    public async Task<bool> WriteAsync(HistoryEntry entry)
    {
        if (OutputPipe.IsBroken())
            return false;
        await WriteEntryAsync(entry);
        return true;
    }

    protected abstract Task WriteEntryAsync(HistoryEntry entry);

    private static string TimeOf(HistoryEntry entry) => entry.Time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    internal sealed class Text(bool whose) : HistoryOutput
    {
        protected override Task WriteEntryAsync(HistoryEntry entry) => Console.Out.WriteLineAsync(LineOf(entry, whose));

        internal static string LineOf(HistoryEntry entry, bool whose)
        {
            string?[] from =
            [
                entry.By is { } by ? $"by {by}" : null,
                entry.Protocol is { } protocol ? $"{protocol}{(entry.ClientIp is { } ip ? $" from {ip}" : "")}" : null,
                entry.Session is { } session ? $"session {session}" : null,
            ];
            var where = entry.Mailbox is { } mailbox ? $"{mailbox}: " : "";
            var account = whose && entry.Account is { } owner ? $"{owner} " : "";
            // Strangers chose some of these words.
            return PlainLines.OnOneLine($"{TimeOf(entry)}  {account}{where}{entry.What}  [{string.Join(", ", from.Where(part => part is not null))}]");
        }
    }

    private sealed class JsonLines : HistoryOutput
    {
        protected override Task WriteEntryAsync(HistoryEntry entry) => ListOutput.WriteJsonAsync(entry);
    }

    internal sealed class Csv : HistoryOutput
    {
        private const string Heading = "sequence,time,type,account,mailbox,what,by,protocol,client_ip,session,cause,stream,version";

        // RFC 4180 §2: lines end in CRLF.
        private const string LineEnd = "\r\n";

        // With these a spreadsheet takes a text for a formula.
        private const string Formula = "=+-@\t\r";

        private bool _begun;

        protected override Task WriteEntryAsync(HistoryEntry entry)
        {
            var heading = _begun ? "" : Heading + LineEnd;
            _begun = true;
            return Console.Out.WriteAsync(heading + LineOf(entry) + LineEnd);
        }

        internal static string LineOf(HistoryEntry entry) => string.Join(
            ',',
            new[]
            {
                entry.Sequence.ToString(CultureInfo.InvariantCulture), entry.Time.UtcDateTime.ToString("O", CultureInfo.InvariantCulture), entry.Type, entry.Account,
                entry.Mailbox, entry.What, entry.By, entry.Protocol, entry.ClientIp, entry.Session, entry.Cause, entry.Stream.ToString(),
                entry.Version.ToString(CultureInfo.InvariantCulture),
            }.Select(Field));

        private static string Field(string? text)
        {
            if (string.IsNullOrEmpty(text))
                return "";
            if (Formula.Contains(text[0]))
                text = "'" + text;
            text = PlainLines.OnOneLine(text);
            return text.AsSpan().ContainsAny(",\"") ? $"\"{text.Replace("\"", "\"\"")}\"" : text;
        }
    }
}
