using Npgsql;

namespace EventMail.EventStore;

/// <summary>Moves a generation of a read model that follows the log behind the commits, by its own pages, as its runner moves the live one.</summary>
internal sealed class GenerationFollower(
    GenerationSession session, IAsyncProjection projection, string? progression, long position, Func<long, double, NpgsqlBatchCommand> move)
{
    private readonly BuildRate _rate = new();

    private readonly int _size = Math.Min(projection.PageSize, EventReader.PageSize);

    public long Position { get; private set; } = position;

    /// <summary>To the end of the log as it is now.</summary>
    public async Task AdvanceAsync(Func<Task> afterPage, CancellationToken cancel)
    {
        await ApplyAsync(session.Events.ReadAllAsync(Position, cancel), _ => afterPage(), null, cancel);
        await afterPage();
    }

    /// <summary>To a position that is complete.</summary>
    /// <param name="afterPage">Told how many events it had.</param>
    public async Task AdvanceToAsync(long upTo, Func<int, Task> afterPage, CancellationToken cancel)
    {
        await ApplyAsync(session.Events.ReadBetweenAsync(Position, upTo, cancel), afterPage, null, cancel);
        Position = Math.Max(Position, upTo); // no event need stand there
    }

    /// <summary>The same inside a transaction; if it does not commit, say <see cref="StartAgain"/>.</summary>
    public Task AdvanceToAsync(long upTo, NpgsqlTransaction transaction, CancellationToken cancel) =>
        ApplyAsync(session.Events.ReadBetweenAsync(Position, upTo, cancel), _ => Task.CompletedTask, transaction, cancel);

    public void StartAgain(long position) => Position = position;

    private async Task ApplyAsync(IAsyncEnumerable<StoredEvent> events, Func<int, Task> afterPage, NpgsqlTransaction? transaction, CancellationToken cancel)
    {
        var page = new List<StoredEvent>(_size);
        await foreach (var e in events)
        {
            page.Add(e);
            if (page.Count < _size || !e.EndsRow)
                continue;
            await ApplyAsync(page, transaction, cancel);
            await afterPage(page.Count);
            page = new(_size);
        }
        if (page.Count == 0)
            return;
        await ApplyAsync(page, transaction, cancel);
        await afterPage(page.Count);
    }

    private async Task ApplyAsync(List<StoredEvent> page, NpgsqlTransaction? outer, CancellationToken cancel)
    {
        var transaction = outer ?? await session.Writer.BeginTransactionAsync(cancel);
        try
        {
            await projection.ApplyAsync(transaction, page, cancel);
            await SkippedEvents.NoteAsync(transaction, progression, page, projection.TakeLacking(), cancel);
            _rate.Note(page[^1].Sequence);
            await using (var batch = new NpgsqlBatch(session.Writer, transaction) { BatchCommands = { move(page[^1].Sequence, _rate.PerSecond) } })
                await batch.ExecuteNonQueryAsync(cancel);
            if (outer is null)
                await transaction.CommitAsync(cancel);
            Position = page[^1].Sequence;
        }
        finally
        {
            if (outer is null)
                await transaction.DisposeAsync();
        }
    }
}
