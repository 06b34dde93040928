using Npgsql;

namespace EventMail.EventStore;

/// <summary>A read model that follows the log behind the commits, every event exactly once and in order.</summary>
public interface IAsyncProjection : IReadModel
{
    /// <summary>Events that are folded in one transaction: fewer for a projection to which an event is much work.</summary>
    int PageSize => EventReader.PageSize;

    /// <summary>
    /// False for an event that changes none of its tables: such a commit does not wake it, the position follows with the next one that
    /// does or with the next poll. Must be quick.
    /// </summary>
    bool IsNews(StoredEvent e) => true;

    /// <summary>Called once, when the node's log is open and before the first page.</summary>
    void Join(EventLog log)
    {
    }

    /// <summary>Called before each page: a projection that is dear lets others go first.</summary>
    ValueTask ReadyAsync(CancellationToken cancel) => default;

    /// <summary>Folds a page of events, in log order, inside the transaction that also moves the projection's position.</summary>
    Task ApplyAsync(NpgsqlTransaction transaction, IReadOnlyList<StoredEvent> events, CancellationToken cancel);

    /// <summary>
    /// Positions of rows, elsewhere in the log, that cannot be read and without which less was done for the last pages than should be: they are noted in
    /// the page's transaction like what it passed over itself, and taken up like it. Asked once behind each page.
    /// </summary>
    IReadOnlyCollection<long> TakeLacking() => [];

    /// <summary>
    /// What one row of the log holds that was passed over in its page, where it came as an <see cref="UnreadableEvent"/>, and can be read now that
    /// others behind it have been folded.
    /// </summary>
    Task TakeUpAsync(NpgsqlTransaction transaction, IReadOnlyList<StoredEvent> row, CancellationToken cancel) => ApplyAsync(transaction, row, cancel);
}
