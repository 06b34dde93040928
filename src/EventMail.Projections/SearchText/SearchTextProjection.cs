using EventMail.Domain.Mailboxes;
using EventMail.Domain.Messages;
using EventMail.EventStore;
using Microsoft.Extensions.Logging;
using Npgsql;
using Stopwatch = System.Diagnostics.Stopwatch;

namespace EventMail.Projections.SearchText;

/// <summary>
/// projections.search_text_v2: a row a content with the text that SEARCH BODY and TEXT look at, and its trigrams. It follows the log
/// behind the mail and yields to it: a content that has no row yet is searched by reading it.
/// </summary>
public sealed class SearchTextProjection : IAsyncProjection
{
    public const string ProjectionName = "SearchText";

    /// <summary>Of what the rows mean: raise it when the decoded text of messages, or how it is prepared, changes.</summary>
    public const int CurrentVersion = 2;

    /// <summary>The table of <see cref="CurrentVersion"/>, with its schema.</summary>
    public static string CurrentTable => new SearchTextTable(CurrentVersion).Name;

    private readonly ILogger _log;
    private readonly IndexPace _pace;
    private EventLog? _events;

    // Earlier versions, which other nodes may still ask, go when this one has come to the end of the log.
    private bool _isOnlyVersion;

    private readonly Stopwatch _reported = new();
    private readonly Stopwatch _catchingUp = new();
    private long _indexed;
    private bool _told;

    public SearchTextProjection(SearchTextOptions options, ILoggerFactory loggers, int version = CurrentVersion)
    {
        (Options, Version) = (options, version);
        _isOnlyVersion = version == 1;
        _log = loggers.CreateLogger("EventMail.SearchText");
        _pace = new(options);
        Table = new(version);
    }

    public string Name => ProjectionName;

    public int Version { get; }

    public IReadOnlyList<string> Tables => [Table.Name];

    public int PageSize => Options.BatchEvents;

    internal SearchTextTable Table { get; }

    internal SearchTextOptions Options { get; }

    public async Task CreateAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using (var missing = new NpgsqlCommand($"select to_regclass('{Table.Name}') is null", connection))
            if ((bool)(await missing.ExecuteScalarAsync(cancel))!)
            {
                // Dropped, or never there: from the first event on.
                await using var restart = new NpgsqlCommand("delete from public.mt_event_progression where name = $1", connection)
                {
                    Parameters = { new() { Value = Table.Progression } },
                };
                await restart.ExecuteNonQueryAsync(cancel);
            }
        await using (var create = new NpgsqlCommand(Table.Create, connection))
            await create.ExecuteNonQueryAsync(cancel);
        await using var find = new NpgsqlCommand(SearchTextTable.FindTrigrams, connection);
        if (await find.ExecuteScalarAsync(cancel) is not string schema)
        {
            _log.NoTrigrams();
            return;
        }
        await using var index = new NpgsqlCommand(Table.CreateIndex(schema), connection);
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
            await RemoveKnownAsync(numbers, cancel);
            await IndexAsync(transaction, numbers, cancel);
            _indexed += numbers.Count;
        }
        var more = events.Count == PageSize;
        if (!more && !_isOnlyVersion)
        {
            await using var drop = new NpgsqlCommand(Table.DropEarlier, transaction.Connection, transaction);
            await drop.ExecuteNonQueryAsync(cancel);
            _isOnlyVersion = true;
        }
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

    // Outside of the transaction, so that reading and decoding hold nothing up: it begins with its first statement.
    private async Task RemoveKnownAsync(SortedSet<long> numbers, CancellationToken cancel)
    {
        await using var known = _events!.DataSource.CreateCommand(Table.Among);
        known.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. numbers] });
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
            await rows.WriteAsync(transaction, Table, cancel);
        }
        await rows.WriteAsync(transaction, Table, cancel);
    }

    /// <summary>Null: there is no such content.</summary>
    private async Task<SearchableText?> ReadAsync(long number, CancellationToken cancel)
    {
        var text = new SearchableText(Options.MaxTextLength);
        try
        {
            await using var content = await _events!.Contents.ReadAsync(number, cancel);
            await ContentText.ForEachAsync(await PartsAsync(content, cancel), content, text.Add, cancel);
            return text;
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

    private static async Task<PartMap> PartsAsync(Content content, CancellationToken cancel)
    {
        const int piece = 64 * 1024;
        var reader = new MessageReader(MessageLimits.Default);
        if (content.TryGetMemory(out var bytes))
        {
            reader.Feed(bytes.Span);
            return PartMap.Of(reader.Finish());
        }
        var buffer = new byte[piece];
        for (var at = 0L; at < content.Size;)
        {
            var count = await content.ReadAtAsync(at, buffer, cancel);
            if (count == 0)
                break;
            reader.Feed(buffer.AsSpan(0, count));
            at += count;
        }
        return PartMap.Of(reader.Finish());
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

        public async Task WriteAsync(NpgsqlTransaction transaction, SearchTextTable table, CancellationToken cancel)
        {
            if (_numbers.Count == 0)
                return;
            await using var insert = new NpgsqlCommand(table.Insert, transaction.Connection, transaction)
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
