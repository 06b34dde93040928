using System.Buffers;
using System.Globalization;
using System.Text;
using EventMail.Host.Composition;
using EventMail.Host.Configuration;
using EventMail.Host.Http.Admin.Log;
using EventMail.Host.Restoring;
using EventMail.Projections;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EventMail.Host.Http.Admin.Resources;

/// <summary>
/// /events: the log as server-sent events (WHATWG HTML §9.2) whose ids are positions. Who comes back with Last-Event-ID gets what came
/// since. A silent stream carries its position now and then; a stream ends when its key counts no more.
/// </summary>
internal sealed class EventsResource(MailStore store, LogTail tail, KeyGuard guard, HttpSettings settings, ILogger log, CancellationToken stopping)
{
    public const string MediaType = "text/event-stream";

    /// <summary>Between two looks at a database that is away.</summary>
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);

    private static readonly HashSet<string> Kinds = [.. ReadModels.Kinds.Select(kind => kind.Name)];

    private readonly AccountRestore _accounts = new(store);

    private int _open;

    public IEnumerable<Operation> Operations =>
    [
        new("GET", "/events", "read:events", "The log as server-sent events, from a position on (Last-Event-ID, `after`) or from now on.", StreamAsync)
        {
            Query =
            [
                new("after", ParameterKind.Number, "What stands behind this position; 0 for all."),
                new("types", ParameterKind.Text, "Types of events, separated by commas."),
                new("kinds", ParameterKind.Text, "Kinds of streams, separated by commas: account, mailbox, delivery, login …"),
                new("account", ParameterKind.Text, "An account's address or id."),
            ],
            MediaType = MediaType,
        },
    ];

    private async Task<ApiAnswer> StreamAsync(ApiRequest request)
    {
        var account = default(string);
        if (request.Text("account") is { } named)
        {
            // Also one that was closed: its log is still there.
            account = await _accounts.FindAsync(named, request.Cancel);
            if (account is null)
                return AccountFinder.Missing;
        }
        var after = request.Number("after");
        if (request.Context.Request.Headers["Last-Event-ID"].ToString() is { Length: > 0 } last)
        {
            if (!long.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out var position))
                return ApiAnswer.BadParameter("Last-Event-ID is the id of an event");
            after = position;
        }
        // Of another log than this one: that of before a backup was restored. It would be told nothing for long, and then not all.
        if (after > 0 && await tail.EndAsync(request.Cancel) is var end && after > end)
            return ApiAnswer.Problem(
                StatusCodes.Status409Conflict, "The log ends before that position", string.Create(null, $"It ends at {end}. Was a backup restored? Read again from a position that is told by this log, or from 0"));
        if (EventTypeNames.Read(request.Text("types"), store.Log.Types, out var wanted) is { } unknown)
            return unknown;
        var kinds = SetOf(request.Text("kinds"));
        if (kinds?.FirstOrDefault(kind => !Kinds.Contains(kind)) is { } other)
            return ApiAnswer.BadParameter($"{other} is no kind of streams; there are {string.Join(", ", Kinds.Order(StringComparer.Ordinal))}");
        if (Interlocked.Increment(ref _open) > settings.MaxStreams)
        {
            Interlocked.Decrement(ref _open);
            return ApiAnswer.Problem(StatusCodes.Status503ServiceUnavailable, "Too many event streams", string.Create(null, $"There are {settings.MaxStreams}; end one, or raise Http:MaxStreams"));
        }
        var filter = new LogFilter(wanted is not null ? store.Log.Types.StoredAs(wanted).ToHashSet(StringComparer.Ordinal) : null, account, kinds);
        return ApiAnswer.Of(context => WriteAsync(context, request, after, filter));
    }

    private async Task WriteAsync(HttpContext context, ApiRequest request, long? after, LogFilter filter)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        try
        {
            context.Response.ContentType = MediaType;
            var told = new Told(after ?? await tail.EndAsync(end.Token));
            await SendAsync(context, "retry: 1000\n\n"u8.ToArray(), end.Token);
            while (await TellAsync(context, request, told, filter, end.Token) == StreamEnd.DatabaseAway)
            {
                // The reader stays, and misses nothing. A comment keeps the connection, and shows when the reader is gone.
                await SendAsync(context, ": the database is away\n\n"u8.ToArray(), end.Token);
                await Task.Delay(Retry, end.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The reader is gone or takes nothing, or the server stops.
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    private async Task<StreamEnd> TellAsync(HttpContext context, ApiRequest request, Told told, LogFilter filter, CancellationToken end)
    {
        try
        {
            var output = new ArrayBufferWriter<byte>();
            await foreach (var (entries, position) in tail.FollowAsync(told.Position, filter, settings.StreamKeepAlive, end))
            {
                if (!await guard.StillCountsAsync(request.Key, end))
                    return StreamEnd.KeyEnded;
                foreach (var entry in entries)
                {
                    output.ResetWrittenCount();
                    output.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"id: {entry.Event.Sequence}\nevent: {entry.Event.Type}\ndata: ")));
                    output.Write(entry.ToJson(store.Log.Types).Span);
                    output.Write("\n\n"u8);
                    await SendAsync(context, output.WrittenMemory, end);
                    told.Position = entry.Event.Sequence;
                }
                // An event without data is told to nobody, but its id counts: whoever comes back begins here.
                if (entries.Count == 0 || entries[^1].Event.Sequence < position)
                    await SendAsync(context, Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"id: {position}\n\n")), end);
                told.Position = position;
            }
        }
        catch (Exception error) when (error is NpgsqlException or TimeoutException && !end.IsCancellationRequested)
        {
            log.StreamInterrupted(error, request.Actor.SessionId);
        }
        return StreamEnd.DatabaseAway;
    }

    private enum StreamEnd
    {
        KeyEnded,
        DatabaseAway,
    }

    // Up to where a reader was told of the log.
    private sealed class Told(long position)
    {
        public long Position { get; set; } = position;
    }

    private async Task SendAsync(HttpContext context, ReadOnlyMemory<byte> octets, CancellationToken end)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(end);
        patience.CancelAfter(settings.StreamPatience);
        try
        {
            await context.Response.Body.WriteAsync(octets, patience.Token);
            await context.Response.Body.FlushAsync(patience.Token);
        }
        catch (OperationCanceledException) when (!end.IsCancellationRequested)
        {
            context.Abort();
            throw new OperationCanceledException(context.RequestAborted);
        }
    }

    private static HashSet<string>? SetOf(string? text) =>
        text?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).ToHashSet(StringComparer.Ordinal);
}
