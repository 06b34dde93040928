namespace EventMail.Projections.Mailboxes;

/// <summary>Summaries by content number: a bounded cache in memory before a table, which is written with the content. Thread-safe.</summary>
public sealed class MessageSummaries
{
    /// <summary>From memory, else from the table, else derived from the content.</summary>
    public ValueTask<MessageSummary> GetAsync(long content, CancellationToken cancel) => throw new NotSupportedException();

    /// <summary>From memory only.</summary>
    public bool TryGet(long content, out MessageSummary summary) => throw new NotSupportedException();

    /// <summary>
    /// Brings those that are not in memory there in few queries. For many messages call it in windows of
    /// <see cref="PrefetchWindow"/> before the <see cref="GetAsync"/> calls.
    /// </summary>
    public Task PrefetchAsync(ReadOnlyMemory<long> contents, CancellationToken cancel) => throw new NotSupportedException();

    /// <summary>How many summaries are worth fetching at once.</summary>
    public const int PrefetchWindow = 1024;
}
