using EventMail.Domain.Mailboxes;
using EventMail.Domain.Messages;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;
using Microsoft.Extensions.Logging;
using Npgsql;
using Stopwatch = System.Diagnostics.Stopwatch;

namespace EventMail.Projections.SearchText;

/// <summary>
/// projections.search_text: a row a content with the text that SEARCH BODY and TEXT look at, and its trigrams. It follows the log
/// behind the mail and yields to it: a content that has no row yet is searched by reading it.
/// </summary>
public sealed class SearchTextProjection : IAsyncProjection
{
    public const string ProjectionName = "SearchText";

    /// <summary>Of what the rows mean: raise it when the decoded text of messages, or how it is prepared, changes.</summary>
    public const int CurrentVersion = 2;

    private readonly ILogger _log;
    private readonly IndexPace _pace;
    private EventLog? _events;

    private readonly Stopwatch _reported = new();
    private readonly Stopwatch _catchingUp = new();
    private long _indexed;
    private bool _told;

    public SearchTextProjection(SearchTextOptions options, ILoggerFactory loggers, int version = CurrentVersion)
    {
        (Options, Version) = (options, version);
        _log = loggers.CreateLogger("EventMail.SearchText");
        _pace = new(options, TimeProvider.System);
    }

    public string Name => ProjectionName;

    public int Version { get; }

    public IReadOnlyList<string> Tables => [SearchTextTable.Name];

    public int PageSize => Options.BatchEvents;

    internal SearchTextOptions Options { get; }

    public async Task CreateAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        await SqlScript.ExecuteAsync(connection, SearchTextTable.Rename + SearchTextTable.Create, cancel);
        await using var find = new NpgsqlCommand(SearchTextTable.FindTrigrams, connection);
        if (await find.ExecuteScalarAsync(cancel) is not string schema)
        {
            _log.NoTrigrams();
            return;
        }
        await using var index = new NpgsqlCommand(SearchTextTable.CreateIndex(schema), connection);
        await index.ExecuteNonQueryAsync(cancel);
    }

    // What is copied came in by an event before.
    public bool IsNews(StoredEvent e) => e.Data is MessageReceived or MessageAppended;

    public void Join(EventLog log)
    {
        _events = log;
        log.Executor.Feed.Subscribe(batch => _pace.Arrived(batch.Contents.Count));
    }

    public ValueTask ReadyAsync(CancellationToken cancel) => _pace.ReadyAsync(cancel);

    public async Task ApplyAsync(NpgsqlTransaction transaction, IReadOnlyList<StoredEvent> events, CancellationToken cancel)
    {
        var started = Stopwatch.GetTimestamp();
        var numbers = Numbers(events);
        if (numbers.Count > 0)
        {
            await RemoveKnownAsync(transaction, numbers, cancel);
            await IndexAsync(transaction, numbers, cancel);
            _indexed += numbers.Count;
        }
        var more = events.Count == PageSize;
        _pace.Worked(Stopwatch.GetElapsedTime(started));
        await ReportAsync(events[^1].Sequence, more, cancel);
    }

    private static SortedSet<long> Numbers(IReadOnlyList<StoredEvent> events)
    {
        var numbers = new SortedSet<long>();
        foreach (var e in events)
        {
            switch (e.Data)
            {
                case MessageReceived received:
                    numbers.Add(received.Content.Number);
                    break;
                case MessageAppended appended:
                    numbers.Add(appended.Content.Number);
                    break;
                case MessagesCopiedIn copied:
                    numbers.UnionWith(copied.Contents);
                    break;
                case MessagesRestored restored:
                    numbers.UnionWith(restored.Contents);
                    break;
            }
        }
        return numbers;
    }

    // Nothing is written before all is read and decoded: until then the transaction holds nobody up.
    private static async Task RemoveKnownAsync(NpgsqlTransaction transaction, SortedSet<long> numbers, CancellationToken cancel)
    {
        await using var known = new NpgsqlCommand(SearchTextTable.Among, transaction.Connection, transaction)
        {
            Parameters = { new NpgsqlParameter<long[]> { TypedValue = [.. numbers] } },
        };
        await using var reader = await known.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
            numbers.Remove(reader.GetInt64(0));
    }

    private async Task IndexAsync(NpgsqlTransaction transaction, SortedSet<long> numbers, CancellationToken cancel)
    {
        await _events!.Contents.PrefetchAsync([.. numbers.Where(number => !_events.Contents.IsRecent(number))], cancel);
        var rows = new Rows();
        foreach (var number in numbers)
        {
            if (await ReadAsync(number, cancel) is not { } text)
                continue;
            rows.Add(number, text);
            if (rows.Length < Options.StatementLength)
                continue;
            await rows.WriteAsync(transaction, cancel);
        }
        await rows.WriteAsync(transaction, cancel);
    }

    /// <summary>Null: there is no such content.</summary>
    private async Task<SearchableText?> ReadAsync(long number, CancellationToken cancel)
    {
        try
        {
            await using var content = await _events!.Contents.ReadAsync(number, cancel);
            return await TextOfAsync(content, Options.MaxTextLength, cancel);
        }
        catch (ContentMissingException)
        {
            return null;
        }
        catch (Exception e) when (e is not (OperationCanceledException or NpgsqlException or IOException))
        {
            // One message may not stop the index for all.
            _log.NotIndexed(e, number);
            return SearchableText.Nothing;
        }
    }

    internal static async Task<SearchableText> TextOfAsync(Content content, int maxLength, CancellationToken cancel)
    {
        var text = new SearchableText(maxLength);
        await ContentText.ForEachAsync(PartMap.Of(await StoredMessage.ReadAsync(content, cancel)), content, text.Add, cancel);
        return text;
    }

    // A page that is not full is the last one that was there when reading began. The end of a catch-up is told if its progress was.
    private async Task ReportAsync(long position, bool more, CancellationToken cancel)
    {
        if (!_catchingUp.IsRunning)
        {
            _catchingUp.Restart();
            _reported.Restart();
        }
        var due = _reported.Elapsed >= Options.ProgressInterval;
        if (more ? !due : !_told)
        {
            if (!more)
                Begin();
            return;
        }
        await using var command = _events!.DataSource.CreateCommand("select coalesce(max(seq_id), 0) from public.mt_events");
        var last = (long)(await command.ExecuteScalarAsync(cancel))!;
        if (position >= last)
        {
            _log.IndexCaughtUp(_indexed, (long)_catchingUp.Elapsed.TotalSeconds);
            Begin();
        }
        else if (due)
        {
            _log.IndexProgress(position, last, _indexed);
            _told = true;
            _reported.Restart();
        }
    }

    private void Begin()
    {
        (_told, _indexed) = (false, 0);
        _catchingUp.Reset();
    }

    /// <summary>Rows on their way into the table.</summary>
    private sealed class Rows
    {
        private readonly List<long> _numbers = [];
        private readonly List<bool> _complete = [];
        private readonly List<string> _headers = [];
        private readonly List<string> _bodies = [];

        public int Length { get; private set; }

        public void Add(long number, SearchableText text)
        {
            _numbers.Add(number);
            _complete.Add(text.Complete);
            _headers.Add(text.Header);
            _bodies.Add(text.Body);
            Length += text.Length;
        }

        public async Task WriteAsync(NpgsqlTransaction transaction, CancellationToken cancel)
        {
            if (_numbers.Count == 0)
                return;
            await using var insert = new NpgsqlCommand(SearchTextTable.Insert, transaction.Connection, transaction)
            {
                Parameters =
                {
                    new NpgsqlParameter<long[]> { TypedValue = [.. _numbers] }, new NpgsqlParameter<bool[]> { TypedValue = [.. _complete] },
                    new NpgsqlParameter<string[]> { TypedValue = [.. _headers] }, new NpgsqlParameter<string[]> { TypedValue = [.. _bodies] },
                },
            };
            await insert.ExecuteNonQueryAsync(cancel);
            _numbers.Clear();
            _complete.Clear();
            _headers.Clear();
            _bodies.Clear();
            Length = 0;
        }
    }
}
