using Npgsql;

namespace EventMail.EventStore;

/// <summary>Moves a generation of a read model that follows the log behind the commits, by its own pages, as its runner moves the live one.</summary>
internal sealed class GenerationFollower(
    GenerationSession session, IAsyncProjection projection, long position, Func<long, double, NpgsqlBatchCommand> move)
{
    private readonly BuildRate _rate = new();

    public long Position { get; private set; } = position;

    /// <summary>To the end of the log as it is now.</summary>
    public async Task AdvanceAsync(Func<Task> afterPage, CancellationToken cancel)
    {
        var size = Math.Min(projection.PageSize, EventReader.PageSize);
        var page = new List<StoredEvent>(size);
        await foreach (var e in session.Events.ReadAllAsync(Position, cancel))
        {
            page.Add(e);
            if (page.Count < size || !e.EndsRow)
                continue;
            await ApplyAsync(page, cancel);
            await afterPage();
            page = new(size);
        }
        if (page.Count > 0)
            await ApplyAsync(page, cancel);
        await afterPage();
    }

    private async Task ApplyAsync(List<StoredEvent> page, CancellationToken cancel)
    {
        await using var transaction = await session.Writer.BeginTransactionAsync(cancel);
        await UnreadableEvents.NoteAsync(session.Writer, transaction, page, cancel);
        await projection.ApplyAsync(transaction, page, cancel);
        _rate.Note(page[^1].Sequence);
        await using var batch = new NpgsqlBatch(session.Writer, transaction) { BatchCommands = { move(page[^1].Sequence, _rate.PerSecond) } };
        await batch.ExecuteNonQueryAsync(cancel);
        await transaction.CommitAsync(cancel);
        Position = page[^1].Sequence;
    }
}
