using System.Diagnostics;
using Npgsql;

namespace EventMail.EventStore;

/// <summary>
/// One attempt at a build: from where eventmail.read_model_build says to a short tail, then, if it is wanted, the change-over. Whatever
/// ends it (a full disk, the database, the process) leaves what is committed to the next attempt.
/// </summary>
internal sealed class GenerationBuild(
    GenerationSession session, GenerationOptions options, IReadOnlyList<BuildRow> rows, Func<BuildProgress, Task> report)
{
    private readonly string[] _names = [.. rows.Select(r => r.Name)];
    private readonly BuildRate _rate = new();
    private long _reported;

    private IReadOnlyList<IReadModel> Requested { get; } = [.. options.Models.Where(m => rows.Any(r => r.Name == m.Name))];

    /// <summary>Those that are folded with every commit, and those whose tables they need: all of them stand at one position.</summary>
    private List<IInlineProjection> Folded =>
        [.. ReadModelPlan.WithNeeds(options.Models, Requested.Where(m => m is IInlineProjection { Source: ReadModelSource.Log })).OfType<IInlineProjection>()];

    private string[] NamesOfFolded => [.. Requested.Where(m => m is IInlineProjection { Source: ReadModelSource.Log }).Select(m => m.Name)];

    private IEnumerable<IAsyncProjection> Following => Requested.OfType<IAsyncProjection>();

    /// <summary>Those that follow the log behind the commits are left where they are.</summary>
    public bool FollowLater { get; init; }

    public async Task RunAsync(ChangeOver? changeOver, CancellationToken cancel)
    {
        var names = NamesOfFolded;
        var fold = new GenerationFold(
            session, options, Folded, names.Length == 0 ? 0 : PositionOf(names[0]), position => BuildRows.Move(names, position, _rate.PerSecond));
        var followers = Following.Select(p => new GenerationFollower(session, p, ProgressionOf(p.Name), PositionOf(p.Name), (position, rate) => BuildRows.Move([p.Name], position, rate)))
            .ToList();
        var tail = new TailWait(session, options, why => ReportAsync(BuildPhase.WaitingForLock, fold.Position, fold.Position, why, always: true));
        var complete = false;
        while (true)
        {
            var (safe, last) = await session.EndAsync(cancel);
            if (names.Length > 0)
                await fold.AdvanceAsync(safe, () => ReportAsync(BuildPhase.Folding, fold.Folded, last), cancel);
            foreach (var follower in FollowLater ? [] : followers)
                await follower.AdvanceAsync(() => ReportAsync(BuildPhase.Folding, follower.Position, last), cancel);
            (_, last) = await session.EndAsync(cancel);
            if (last - (names.Length > 0 ? fold.Position : last) > options.ShortTail)
            {
                await tail.WaitAsync(fold.Position, cancel);
                continue;
            }
            if (!complete)
            {
                await CompleteAsync(cancel);
                complete = true;
                continue;
            }
            if (changeOver is null)
            {
                await using var ended = await session.Writer.BeginTransactionAsync(cancel);
                await FoldedBeforehand.RequireNoneAsync(session.Writer, ended, "eventmail.read_model_build", cancel);
                break;
            }
            if (await changeOver.TryAsync(names.Length > 0 ? fold : null, rows, (phase, why) => ReportAsync(phase, fold.Position, last, why, always: true), cancel))
                break;
            await Task.Delay(options.Retry, cancel);
        }
        await ReportAsync(BuildPhase.Done, Math.Max(fold.Position, 0), fold.Position, always: true);
    }

    // The indexes that a build is without.
    private async Task CompleteAsync(CancellationToken cancel)
    {
        await using var transaction = await session.Writer.BeginTransactionAsync(cancel);
        await session.ExecuteAsync("set local client_min_messages = warning", cancel, transaction);
        foreach (var model in ReadModelPlan.WithNeeds(options.Models, Requested))
            await model.CreateAsync(session.Writer, cancel);
        await transaction.CommitAsync(cancel);
    }

    private string ProgressionOf(string name) => ReadModelCatalog.ProgressionOf(name, rows.First(r => r.Name == name).Generation);

    private long PositionOf(string name) => rows.First(r => r.Name == name).Position;

    private async Task ReportAsync(BuildPhase phase, long position, long last, string? why = null, bool always = false)
    {
        _rate.Note(position);
        if (!always && _reported != 0 && Stopwatch.GetElapsedTime(_reported) < options.ProgressInterval)
            return;
        _reported = Stopwatch.GetTimestamp();
        await report(new(phase, _names, new(rows[0].Version, rows[0].Generation, rows[0].Began, position, last, rows[0].Started, _rate.PerSecond), why));
    }
}

/// <summary>What is built with what.</summary>
internal static class ReadModelPlan
{
    /// <summary>These and, before them, all whose tables they need, in the order of the list.</summary>
    public static List<IReadModel> WithNeeds(IReadOnlyList<IReadModel> all, IEnumerable<IReadModel> models)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var left = new Queue<IReadModel>(models);
        while (left.TryDequeue(out var model))
        {
            if (!names.Add(model.Name))
                continue;
            foreach (var need in model.Needs)
                left.Enqueue(all.First(m => m.Name == need));
        }
        return [.. all.Where(m => names.Contains(m.Name))];
    }
}
