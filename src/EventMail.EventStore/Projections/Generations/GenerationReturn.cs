using Npgsql;

namespace EventMail.EventStore;

/// <summary>The way back: the generation before the live one, caught up from where it stood, and changed over to.</summary>
internal sealed class GenerationReturn(GenerationSession session, GenerationOptions options, Func<BuildProgress, Task> report)
{
    public async Task RunAsync(IReadOnlyList<(IReadModel Model, PreviousGeneration Previous)> back, CancellationToken cancel)
    {
        // Each stands where it was left: one after the other.
        foreach (var (model, previous) in back)
        {
            var isFolded = model is IInlineProjection { Source: ReadModelSource.Log };
            var fold = isFolded
                ? new GenerationFold(
                    session, options, [(IInlineProjection)model], previous.Position, position => BuildRows.MovePrevious([model.Name], position))
                : null;
            var rows = new[] { new BuildRow(model.Name, previous.Version, previous.Generation, [.. model.Tables], previous.Position, previous.Position, default) };
            var tail = new TailWait(session, options, why => ReportAsync(BuildPhase.WaitingForLock, why));
            var changeOver = new ChangeOver(session, options, ReadModelSchema.Previous);
            while (true)
            {
                var (safe, last) = await session.EndAsync(cancel);
                if (fold is not null)
                {
                    await fold.AdvanceAsync(safe, () => Task.CompletedTask, cancel);
                    (_, last) = await session.EndAsync(cancel);
                    if (last - fold.Position > options.ShortTail)
                    {
                        await tail.WaitAsync(fold.Position, cancel);
                        continue;
                    }
                }
                if (await changeOver.TryAsync(fold, rows, (phase, why) => ReportAsync(phase, why), cancel))
                    break;
                await Task.Delay(options.Retry, cancel);
            }
            await ReportAsync(BuildPhase.Done, null);

            Task ReportAsync(BuildPhase phase, string? why) => report(new(
                phase, [model.Name], new(previous.Version, previous.Generation, previous.Position, fold?.Position ?? 0, fold?.Position ?? 0, default, 0), why));
        }
    }
}
