using Npgsql;

namespace EventMail.EventStore;

/// <summary>
/// Folds the log into tables beside the live ones and compares them row by row. Rows that differ are looked at once more at one position of
/// the log, in one short transaction: what moved meanwhile is no drift. Whatever ends it leaves what is folded to the next attempt.
/// </summary>
/// <param name="folded">Those that are folded with the commits, and those whose tables they need.</param>
/// <param name="following">Those that follow the log behind the commits: each is compared where its live tables stand.</param>
internal sealed class ReadModelVerification(
    GenerationSession session, GenerationOptions options, IReadOnlyList<IInlineProjection> folded, IReadOnlyList<IAsyncProjection> following)
{
    public const string Schema = "projections_verify";

    // So many events at most are folded while the live tables may not move.
    private const int ShortTail = 200;

    private readonly VerificationProgress _progress = new(session);

    public async Task<IReadOnlyList<VerifiedModel>> RunAsync(IReadOnlyList<IReadModel> verified, Func<BuildProgress, Task> report, CancellationToken cancel)
    {
        var positions = await _progress.BeginAsync([.. folded, .. following], cancel);
        // Two mailboxes may change names within one write.
        await session.DropIndexesAsync(Schema, unique: true, cancel);
        var found = new List<VerifiedModel>();
        if (folded.Count > 0)
            found.AddRange(await VerifyFoldedAsync([.. verified.OfType<IInlineProjection>()], positions[folded[0].Name], report, cancel));
        foreach (var model in following)
        {
            if (await VerifyFollowingAsync(model, positions[model.Name], report, cancel) is { } one)
                found.Add(one);
        }
        await _progress.EndAsync(cancel);
        return found;
    }

    private async Task<List<VerifiedModel>> VerifyFoldedAsync(
        IReadOnlyList<IInlineProjection> verified, long from, Func<BuildProgress, Task> report, CancellationToken cancel)
    {
        string[] names = [.. folded.Select(m => m.Name)];
        var fold = new GenerationFold(session, options, folded, from, position => VerificationProgress.Move(names, position));
        var rate = new BuildRate();
        // All of it: transactions under way are waited for, since what they hold up would be left to the lock.
        var tail = new TailWait(session, options, why => report(ProgressOf(verified, fold.Position, fold.Position, rate) with { Phase = BuildPhase.WaitingForLock, Why = why }));
        var last = await tail.EndAsync(cancel);
        await fold.AdvanceAsync(last, async () =>
        {
            rate.Note(fold.Folded);
            await report(ProgressOf(verified, fold.Folded, last, rate));
            await PauseAsync(options.PageSize, cancel);
        }, cancel);

        var found = new List<VerifiedModel>();
        foreach (var model in verified)
        {
            var live = await ReadModelCatalog.GenerationAsync(session.Writer, model, cancel);
            var drifts = new List<RowDrift>();
            foreach (var name in live is null ? [] : model.Tables)
            {
                var comparison = await ComparisonAsync(model, name, cancel);
                var suspects = await comparison.SuspectsAsync(cancel);
                if (suspects.Count > 0)
                    drifts.AddRange(await ConfirmAsync(model, comparison, suspects, fold, tail, report, cancel));
            }
            // Else it has been changed over meanwhile, and nobody can say which tables were compared.
            if (await ReadModelCatalog.GenerationAsync(session.Writer, model, cancel) is { } generation && generation == live)
                found.Add(await NoteAsync(new(model.Name, generation, fold.Position, drifts), cancel));
        }
        return found;
    }

    // No event is committed while they are looked at.
    private async Task<List<RowDrift>> ConfirmAsync(
        IReadModel model, TableComparison comparison, List<string> suspects, GenerationFold fold, TailWait tail, Func<BuildProgress, Task> report, CancellationToken cancel)
    {
        while (true)
        {
            var position = fold.Position;
            await fold.AdvanceAsync(await tail.EndAsync(cancel), () => Task.CompletedTask, cancel);
            await using var transaction = await session.Writer.BeginTransactionAsync(cancel);
            try
            {
                position = fold.Position;
                await session.ExecuteAsync($"{LockTimeout}; lock table public.mt_streams in share mode", cancel, transaction);
                var (_, last) = await session.EndAsync(cancel);
                await fold.AdvanceAsync(last, transaction, cancel);
                var drifts = await comparison.LookAgainAsync(suspects, transaction, cancel);
                await FoldedBeforehand.RequireNoneAsync(session.Writer, transaction, VerificationProgress.Table, cancel);
                await transaction.CommitAsync(cancel);
                return drifts;
            }
            catch (PostgresException e) when (IsInUse(e))
            {
                await transaction.RollbackAsync(cancel);
                fold.StartAgain(position);
                await WaitAsync(model, position, report, cancel);
            }
        }
    }

    /// <summary>Null: the live tables are another version's, or those of another generation than it began with.</summary>
    private async Task<VerifiedModel?> VerifyFollowingAsync(IAsyncProjection model, long from, Func<BuildProgress, Task> report, CancellationToken cancel)
    {
        if (await LiveAsync(model, null, cancel) is not var (generation, live))
            return null;
        var follower = new GenerationFollower(session, model, null, from, (position, _) => VerificationProgress.Move([model.Name], position));
        var rate = new BuildRate();
        await follower.AdvanceToAsync(live, async events =>
        {
            rate.Note(follower.Position);
            await report(ProgressOf([model], follower.Position, live, rate));
            await PauseAsync(events, cancel);
        }, cancel);

        var suspects = new List<(TableComparison Table, List<string> Keys)>();
        foreach (var name in model.Tables)
        {
            var comparison = await ComparisonAsync(model, name, cancel);
            if (await comparison.SuspectsAsync(cancel) is { Count: > 0 } keys)
                suspects.Add((comparison, keys));
        }
        var drifts = suspects.Count == 0 ? [] : await ConfirmAsync(model, generation, follower, suspects, report, cancel);
        return drifts is null ? null : await NoteAsync(new(model.Name, generation, follower.Position, drifts), cancel);
    }

    // Its runner cannot commit a page while they are looked at.
    private async Task<List<RowDrift>?> ConfirmAsync(
        IAsyncProjection model, int generation, GenerationFollower follower, List<(TableComparison Table, List<string> Keys)> suspects,
        Func<BuildProgress, Task> report, CancellationToken cancel)
    {
        while (true)
        {
            if (await LiveAsync(model, null, cancel) is not var (_, near))
                return null;
            await follower.AdvanceToAsync(near, _ => Task.CompletedTask, cancel);
            var position = follower.Position;
            await using var transaction = await session.Writer.BeginTransactionAsync(cancel);
            try
            {
                await session.ExecuteAsync(LockTimeout, cancel, transaction);
                if (await LiveAsync(model, transaction, cancel) is not var (now, live) || now != generation || live < position)
                    return null;
                if (live - position > ShortTail)
                    continue;
                await follower.AdvanceToAsync(live, transaction, cancel);
                var drifts = new List<RowDrift>();
                foreach (var (table, keys) in suspects)
                    drifts.AddRange(await table.LookAgainAsync(keys, transaction, cancel));
                await FoldedBeforehand.RequireNoneAsync(session.Writer, transaction, VerificationProgress.Table, cancel);
                await transaction.CommitAsync(cancel);
                return drifts;
            }
            catch (PostgresException e) when (IsInUse(e))
            {
                await transaction.RollbackAsync(cancel);
                follower.StartAgain(position);
                await WaitAsync(model, position, report, cancel);
            }
        }
    }

    // With a transaction nobody moves it until that has ended.
    private async Task<(int Generation, long Position)?> LiveAsync(IAsyncProjection model, NpgsqlTransaction? transaction, CancellationToken cancel)
    {
        const string lockRow = "select 1 from eventmail.read_model where name = $1 for update";
        const string position = "select coalesce((select last_seq_id from public.mt_event_progression where name = $1), 0)";
        if (transaction is not null)
        {
            await using var take = new NpgsqlCommand(lockRow, session.Writer, transaction) { Parameters = { new() { Value = model.Name } } };
            await take.ExecuteNonQueryAsync(cancel);
        }
        if (await ReadModelCatalog.GenerationAsync(session.Writer, model, cancel) is not { } generation)
            return null;
        await using var command = new NpgsqlCommand(position, session.Writer, transaction)
        {
            Parameters = { new() { Value = ReadModelCatalog.ProgressionOf(model.Name, generation) } },
        };
        return (generation, (long)(await command.ExecuteScalarAsync(cancel))!);
    }

    private async Task<TableComparison> ComparisonAsync(IReadModel model, string table, CancellationToken cancel) =>
        new(session, await ComparedTable.DescribeAsync(session.Reader, model, table, cancel), rows => PauseAsync(rows, cancel));

    private async Task<VerifiedModel> NoteAsync(VerifiedModel model, CancellationToken cancel)
    {
        await ReadModelChecks.WriteAsync(session.Writer, model, cancel);
        return model;
    }

    private string LockTimeout => $"set local lock_timeout = {(int)options.LockWait.TotalMilliseconds}";

    private static bool IsInUse(PostgresException e) => e.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected;

    private async Task WaitAsync(IReadModel model, long position, Func<BuildProgress, Task> report, CancellationToken cancel)
    {
        await report(new(BuildPhase.WaitingForLock, [model.Name], new(0, 0, 0, position, position, default, 0), "the tables or the log are being written without a pause"));
        await Task.Delay(options.Retry, cancel);
    }

    private Task PauseAsync(int events, CancellationToken cancel) => options.MostEventsPerSecond > 0
        ? Task.Delay(TimeSpan.FromSeconds((double)events / options.MostEventsPerSecond), cancel)
        : Task.CompletedTask;

    private static BuildProgress ProgressOf(IEnumerable<IReadModel> models, long position, long last, BuildRate rate) =>
        new(BuildPhase.Folding, [.. models.Select(m => m.Name)], new(0, 0, 0, position, last, default, rate.PerSecond));
}
