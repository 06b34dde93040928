using System.CommandLine;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace EventMail.Host.Cli;

/// <summary>Lists for people as columns, for programs as JSON lines.</summary>
internal static class ListOutput
{
    public static readonly Option<bool> Json = new("--json") { Description = "JSON, one object a line" };

    private static readonly JsonSerializerOptions Lines = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        // For files and terminals, not for HTML.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static async Task WriteAsync<T>(CommandRun run, IAsyncEnumerable<T> rows, string[] headings, Func<T, string[]> columns)
    {
        if (run.Arguments.GetValue(Json))
        {
            await foreach (var row in rows)
                await WriteJsonAsync(row);
            return;
        }

        var table = new List<string[]> { headings };
        await foreach (var row in rows)
            table.Add(columns(row));
        var widths = Enumerable.Range(0, headings.Length).Select(column => table.Max(row => row[column].Length)).ToArray();
        foreach (var row in table)
            await Console.Out.WriteLineAsync(string.Join("  ", row.Select((text, column) => text.PadRight(widths[column]))).TrimEnd());
    }

    public static Task WriteJsonAsync<T>(T value) => Console.Out.WriteLineAsync(JsonOf(value));

    public static string JsonOf<T>(T value) => JsonSerializer.Serialize(value, Lines);

    /// <summary>`12.3 MiB`</summary>
    public static string Size(long bytes)
    {
        string[] units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
        var (value, unit) = ((double)bytes, 0);
        for (; value >= 1024 && unit < units.Length - 1; unit++)
            value /= 1024;
        return string.Create(CultureInfo.InvariantCulture, $"{Math.Round(value, unit == 0 ? 0 : 1)} {units[unit]}");
    }
}
