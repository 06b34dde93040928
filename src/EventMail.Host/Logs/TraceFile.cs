using System.Net;
using EventMail.Protocols.Wire;
using Microsoft.Extensions.Logging;

namespace EventMail.Host.Logs;

/// <summary>
/// Which connections of the running server are traced: `trace` in the data folder, a filter a line, written by `eventmail trace` and
/// read by the server. Gone at the next start, so that nobody's dialogue is logged for longer than somebody looks.
/// </summary>
internal sealed class TraceFile(string dataFolder)
{
    private const string Everything = "all";

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    private readonly string _path = Path.Combine(dataFolder, "trace");

    public async Task AddAsync(WireTraceFilter filter)
    {
        if (Read().Contains(filter))
            return;
        await File.AppendAllLinesAsync(_path, [LineOf(filter)]);
    }

    public void Clear() => File.Delete(_path);

    /// <summary>Lines that are no filter are left out.</summary>
    public IReadOnlyList<WireTraceFilter> Read()
    {
        try
        {
            return [.. File.ReadAllLines(_path).Select(FilterOf).OfType<WireTraceFilter>()];
        }
        catch (FileNotFoundException)
        {
            return [];
        }
    }

    /// <summary>Forgets what an earlier server was to trace, then applies the file to the connections until the server stops.</summary>
    public async Task FollowAsync(WireTraces traces, ILogger log, CancellationToken stop)
    {
        Clear();
        var applied = File.GetLastWriteTimeUtc(_path);
        using var timer = new PeriodicTimer(Interval);
        try
        {
            while (await timer.WaitForNextTickAsync(stop))
            {
                var written = File.GetLastWriteTimeUtc(_path);
                if (written == applied)
                    continue;
                applied = written;
                var filters = Read();
                foreach (var gone in traces.Active.Except(filters))
                    traces.Stop(gone);
                foreach (var filter in filters)
                    traces.Start(filter);
                log.Tracing(filters.Count == 0 ? "nothing" : string.Join("; ", filters.Select(LineOf)));
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The server stops.
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            log.TraceUnreadable(error);
        }
    }

    public static string LineOf(WireTraceFilter filter)
    {
        string?[] words =
        [
            filter.Listener is { } listener ? $"listener={listener}" : null,
            filter.Client is { } client ? $"client={client}" : null,
            filter.ConnectionId is { } id ? $"connection={id}" : null,
        ];
        return words.Any(word => word is not null) ? string.Join(' ', words.Where(word => word is not null)) : Everything;
    }

    private static WireTraceFilter? FilterOf(string line)
    {
        if (line.Trim() == Everything)
            return new();
        var filter = new WireTraceFilter();
        foreach (var word in line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            switch (word.Split('=', 2))
            {
                case ["listener", var listener]:
                    filter = filter with { Listener = listener };
                    break;
                case ["client", var client] when IPAddress.TryParse(client, out var address):
                    filter = filter with { Client = address };
                    break;
                case ["connection", var id]:
                    filter = filter with { ConnectionId = id };
                    break;
                default:
                    return null;
            }
        }

        return filter == new WireTraceFilter() ? null : filter;
    }
}

internal static partial class TraceLog
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Wire traces: {filters}")]
    public static partial void Tracing(this ILogger log, string filters);

    [LoggerMessage(Level = LogLevel.Error, Message = "The trace file cannot be read; traces stay as they are until the next start")]
    public static partial void TraceUnreadable(this ILogger log, Exception error);
}
