using EventMail.Domain.Messages;
using EventMail.EventStore;
using Npgsql;

namespace EventMail.Projections.Mailboxes;

/// <summary>Summaries by content number: a bounded cache in memory before a table, which is written with the content. Thread-safe.</summary>
public sealed class MessageSummaries : IDisposable
{
    /// <summary>How many summaries are worth fetching at once.</summary>
    public const int PrefetchWindow = 1024;

    /// <summary>Bytes of summaries in memory unless told otherwise.</summary>
    public const long DefaultCacheBytes = 256L * 1024 * 1024;

    // A range scan may read this many rows for each that is wanted before single look-ups are cheaper.
    private const int SparsestScan = 4;

    private const string ByRange = "select number, data from message_summary where number between $1 and $2";
    private const string ByNumbers = "select number, data from message_summary where number = any($1)";

    private readonly NpgsqlDataSource _source;
    private readonly ContentStore _contents;
    private readonly ContentCache _cache;
    private readonly IDisposable _subscription;

    public MessageSummaries(EventLog log, long cacheBytes = DefaultCacheBytes)
    {
        (_source, _contents) = (log.DataSource, log.Contents);
        _cache = new(cacheBytes);
        Previews = new(log, this);
        _subscription = log.Executor.Feed.Subscribe(OnCommit);
    }

    /// <summary>What a client shows of a message beside its subject.</summary>
    public MessagePreviews Previews { get; }

    // What has just come in is what is asked for next.
    private void OnCommit(CommitBatch batch)
    {
        for (var i = 0; i < batch.Contents.Count; i++)
        {
            if (batch.Contents[i].Annotation is MessageAnnotation annotation)
                _cache.Put(batch.Contents[i].Number, annotation.Summary.Data);
        }
    }

    /// <summary>From memory only.</summary>
    public bool TryGet(long content, out MessageSummary summary)
    {
        var found = _cache.TryGet(content, out var data);
        summary = found ? new(data!) : default;
        return found;
    }

    /// <summary>From memory, else from the table, else derived from the content.</summary>
    /// <exception cref="ContentUnreadableException">There is no such content, or it cannot be read.</exception>
    public ValueTask<MessageSummary> GetAsync(long content, CancellationToken cancel) =>
        _cache.TryGet(content, out var data) ? new(new MessageSummary(data)) : new(LoadAsync(content, cancel));

    private async Task<MessageSummary> LoadAsync(long content, CancellationToken cancel)
    {
        // One row, not by way of the cache: a small one may have dropped it again.
        await using (var command = _source.CreateCommand(ByNumbers))
        {
            command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [content] });
            await using var reader = await command.ExecuteReaderAsync(cancel);
            if (await reader.ReadAsync(cancel) && MessageSummary.TryRead(reader.GetFieldValue<byte[]>(1), out var summary))
            {
                _cache.Put(content, summary.Data);
                return summary;
            }
        }
        return await DeriveAsync(content, cancel);
    }

    /// <summary>
    /// Brings those that are not in memory there in few queries. For many messages call it in windows of
    /// <see cref="PrefetchWindow"/> before the <see cref="GetAsync"/> calls.
    /// </summary>
    public Task PrefetchAsync(ReadOnlyMemory<long> contents, CancellationToken cancel)
    {
        List<long>? missing = null;
        foreach (var content in contents.Span)
        {
            if (!_cache.TryGet(content, out _))
                (missing ??= []).Add(content);
        }
        return missing is null ? Task.CompletedTask : FetchAsync(missing, cancel);
    }

    private async Task FetchAsync(List<long> missing, CancellationToken cancel)
    {
        missing.Sort();
        var (first, last) = (missing[0], missing[^1]);
        var dense = last - first < (long)missing.Count * SparsestScan;
        await using var command = _source.CreateCommand(dense ? ByRange : ByNumbers);
        if (dense)
        {
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = first });
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = last });
        }
        else
        {
            command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. missing] });
        }
        await using var reader = await command.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
        {
            // Those between that nobody asked for are welcome, too.
            if (MessageSummary.TryRead(reader.GetFieldValue<byte[]>(1), out var summary))
                _cache.Put(reader.GetInt64(0), summary.Data);
        }
    }

    // The row is missing, or of another version: made again.
    private async Task<MessageSummary> DeriveAsync(long number, CancellationToken cancel)
    {
        MessageSummary summary;
        await using (var content = await _contents.ReadAsync(number, cancel))
            summary = await SummaryOfAsync(content, cancel);
        await using (var command = _source.CreateCommand("""
            insert into message_summary (number, data) values ($1, $2)
            on conflict (number) do update set data = excluded.data
            """))
        {
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = number });
            command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = summary.Data });
            await command.ExecuteNonQueryAsync(cancel);
        }
        _cache.Put(number, summary.Data);
        return summary;
    }

    internal static async Task<MessageSummary> SummaryOfAsync(Content content, CancellationToken cancel) =>
        MessageSummary.Of(await StoredMessage.ReadAsync(content, cancel));

    /// <summary>Drops from memory what was derived from a content that is erased.</summary>
    internal void Forget(long content)
    {
        _cache.Remove(content);
        Previews.Forget(content);
    }

    public void Dispose() => _subscription.Dispose();
}
