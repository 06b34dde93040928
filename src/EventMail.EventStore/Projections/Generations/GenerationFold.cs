using System.Diagnostics;
using Npgsql;

namespace EventMail.EventStore;

/// <summary>
/// Moves the tables of one schema along the log, some pages and the place behind them in one transaction. While a page is folded the next
/// one is read, and what was folded before is written. Beside others who write the log it does one thing at a time, and rests.
/// </summary>
internal sealed class GenerationFold
{
    private readonly GenerationSession _session;
    private readonly GenerationOptions _options;
    private readonly Func<long, NpgsqlBatchCommand> _move;
    private readonly StreamStates _states;
    private readonly LogFold _fold;
    private readonly GenerationPace _pace;
    private readonly LogNames _names = new();
    private Task _writing = Task.CompletedTask;

    /// <param name="models">In the order in which they are folded.</param>
    /// <param name="move">The statement that notes a position.</param>
    public GenerationFold(
        GenerationSession session, GenerationOptions options, IReadOnlyList<IInlineProjection> models, long position, Func<long, NpgsqlBatchCommand> move)
    {
        (_session, _options, _move, Position, Folded) = (session, options, move, position, position);
        _states = new(
            session.Writer, session.Events, options.Kinds.ToDictionary(k => k.Name), models.SelectMany(m => m.Tables).ToHashSet(), options.MaxStates);
        _fold = new(session.Decoder, models, _states);
        _pace = new(options, session.LastPositionAsync, TimeProvider.System);
    }

    /// <summary>Where the tables stand.</summary>
    public long Position { get; private set; }

    /// <summary>Where it stands in memory, up to <see cref="GenerationOptions.PagesPerWrite"/> ahead of the tables.</summary>
    public long Folded { get; private set; }

    /// <summary>Up to a position that is complete.</summary>
    public async Task AdvanceAsync(long upTo, Func<Task> afterPage, CancellationToken cancel)
    {
        while (Position < upTo)
        {
            try
            {
                await RunAsync(upTo, afterPage, cancel);
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
            {
                StartAgain(Position);
                for (var end = Math.Min(upTo, Position + (long)_options.PageSize * _options.PagesPerWrite); Position < end;)
                {
                    await AtOnceAsync(Math.Min(end, Position + _options.PageSize), null, cancel);
                    await afterPage();
                }
            }
        }
    }

    /// <summary>The same inside a transaction; if it does not commit, say <see cref="StartAgain"/>.</summary>
    public async Task AdvanceAsync(long upTo, NpgsqlTransaction transaction, CancellationToken cancel)
    {
        while (Position < upTo)
            await AtOnceAsync(Math.Min(upTo, Position + _options.PageSize), transaction, cancel);
    }

    /// <summary>What is in memory does not stand where the tables stand.</summary>
    public void StartAgain(long position)
    {
        _fold.Forget();
        _states.Clear();
        _writing = Task.CompletedTask;
        (Position, Folded) = (position, position);
    }

    private async Task RunAsync(long upTo, Func<Task> afterPage, CancellationToken cancel)
    {
        Task<LogPage>? ahead = null;
        try
        {
            var pages = 0;
            for (var at = Position; at < upTo;)
            {
                var began = Stopwatch.GetTimestamp();
                using (var page = await (ahead ?? ReadAsync(at, upTo, cancel)))
                {
                    ahead = null;
                    at = page.UpTo;
                    if (at < upTo && !_pace.BesideOthers)
                        ahead = ReadAsync(at, upTo, cancel);
                    await _fold.AddAsync(page, _pace.BesideOthers ? 1 : Environment.ProcessorCount, () => _writing, cancel);
                }
                Folded = at;
                if (at == upTo || ++pages >= _pace.PagesPerWrite)
                {
                    await _writing;
                    _writing = WriteAsync(at, null, cancel);
                    pages = 0;
                }
                if (at == upTo || _pace.BesideOthers)
                    await _writing;
                await afterPage();
                await _pace.RestAsync(Stopwatch.GetElapsedTime(began), cancel);
            }
        }
        catch
        {
            await EndAsync(ahead, _writing);
            throw;
        }
    }

    // Two rows may exchange a name that only one may have. Where both changes come in one write, one row stands in the other's way, once the
    // index is there that says so: then the halves are written one after the other.
    private async Task AtOnceAsync(long upTo, NpgsqlTransaction? transaction, CancellationToken cancel)
    {
        const string savepoint = "stretch";
        var from = Position;
        if (transaction is not null)
            await transaction.SaveAsync(savepoint, cancel);
        try
        {
            using var page = await LogPage.ReadAsync(_session.Reader, from, upTo, _names, cancel);
            await _fold.AddAsync(page, Environment.ProcessorCount, () => Task.CompletedTask, cancel);
            await WriteAsync(upTo, transaction, cancel);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation && upTo - from > 1)
        {
            if (transaction is not null)
                await transaction.RollbackAsync(savepoint, cancel);
            StartAgain(from);
            await AtOnceAsync(from + (upTo - from) / 2, transaction, cancel);
            await AtOnceAsync(upTo, transaction, cancel);
        }
    }

    private Task<LogPage> ReadAsync(long after, long upTo, CancellationToken cancel) =>
        LogPage.ReadAsync(_session.Reader, after, Math.Min(upTo, after + _pace.PageSize), _names, cancel);

    private async Task WriteAsync(long position, NpgsqlTransaction? transaction, CancellationToken cancel)
    {
        await using var sql = new NpgsqlBatch(_session.Writer, transaction);
        _fold.Write(sql);
        sql.BatchCommands.Add(_move(position));
        await sql.ExecuteNonQueryAsync(cancel);
        (Position, Folded) = (position, Math.Max(Folded, position));
    }

    // The connections must be free, and the page's memory given back.
    private static async Task EndAsync(Task<LogPage>? reading, Task writing)
    {
        try
        {
            (reading is null ? null : await reading)?.Dispose();
        }
        catch (Exception e) when (IsEnd(e))
        {
            // What ended the fold is told.
        }
        try
        {
            await writing;
        }
        catch (Exception e) when (IsEnd(e))
        {
            // The same.
        }
    }

    private static bool IsEnd(Exception e) => e is NpgsqlException or OperationCanceledException or IOException or ObjectDisposedException;
}
