using Npgsql;

namespace EventMail.EventStore;

/// <summary>
/// Moves the tables of one schema along the log, a page and the position behind it in one transaction. While a page is folded and
/// written the next one is read.
/// </summary>
internal sealed class GenerationFold
{
    private readonly GenerationSession _session;
    private readonly GenerationOptions _options;
    private readonly Func<long, NpgsqlBatchCommand> _move;
    private readonly StreamStates _states;
    private readonly LogFold _fold;
    private readonly LogNames _names = new();

    /// <param name="models">In the order in which they are folded.</param>
    /// <param name="move">The statement that notes a position.</param>
    public GenerationFold(
        GenerationSession session, GenerationOptions options, IReadOnlyList<IInlineProjection> models, long position, Func<long, NpgsqlBatchCommand> move)
    {
        (_session, _options, _move, Position) = (session, options, move, position);
        _states = new(
            session.Writer, session.Events, options.Kinds.ToDictionary(k => k.Name), models.SelectMany(m => m.Tables).ToHashSet(), options.MaxStates);
        _fold = new(options.Types, models, _states);
    }

    public long Position { get; private set; }

    /// <summary>Up to a position that is complete.</summary>
    public async Task AdvanceAsync(long upTo, Func<Task> afterPage, CancellationToken cancel)
    {
        if (Position >= upTo)
            return;
        var reading = ReadAsync(Position, upTo, cancel);
        try
        {
            while (Position < upTo)
            {
                using var page = await reading;
                if (page.UpTo < upTo)
                    reading = ReadAsync(page.UpTo, upTo, cancel);
                await WriteAsync(page, null, cancel);
                await afterPage();
            }
        }
        catch
        {
            await EndAsync(reading);
            throw;
        }
    }

    /// <summary>The same inside a transaction; if it does not commit, say <see cref="StartAgain"/>.</summary>
    public async Task AdvanceAsync(long upTo, NpgsqlTransaction transaction, CancellationToken cancel)
    {
        while (Position < upTo)
        {
            using var page = await ReadAsync(Position, upTo, cancel);
            await WriteAsync(page, transaction, cancel);
        }
    }

    /// <summary>What is in memory does not stand where the tables stand.</summary>
    public void StartAgain(long position)
    {
        _states.Clear();
        Position = position;
    }

    private Task<LogPage> ReadAsync(long after, long upTo, CancellationToken cancel) =>
        LogPage.ReadAsync(_session.Reader, after, Math.Min(upTo, after + _options.PageSize), _names, cancel);

    private async Task WriteAsync(LogPage page, NpgsqlTransaction? transaction, CancellationToken cancel)
    {
        await using var sql = new NpgsqlBatch(_session.Writer, transaction);
        await _fold.AddAsync(page, sql, cancel);
        sql.BatchCommands.Add(_move(page.UpTo));
        await sql.ExecuteNonQueryAsync(cancel);
        Position = page.UpTo;
    }

    // Its connection must be free, and its memory given back.
    private static async Task EndAsync(Task<LogPage> reading)
    {
        try
        {
            (await reading).Dispose();
        }
        catch (Exception e) when (e is NpgsqlException or OperationCanceledException or IOException or ObjectDisposedException)
        {
            // What ended the fold is told.
        }
    }
}
