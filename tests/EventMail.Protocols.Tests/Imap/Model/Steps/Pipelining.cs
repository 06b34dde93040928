namespace EventMail.Protocols.Tests.Imap.Model.Steps;

/// <summary>
/// Two or three commands in one write. They are answered in their order, each as if its client had waited for the one before it
/// (RFC 3501 §5.5): sets and numbers mean what they mean when their turn has come.
/// </summary>
internal static class Pipelining
{
    private static readonly Func<ModelRun, ModelSession, Task>[] Steps =
    [
        Appending.AppendAsync, Storing.StoreAsync, Storing.StoreAsync, Removing.ExpungeAsync, Removing.CopyAsync, Fetching.FetchAsync, Searching.SearchAsync,
        (run, session) => run.DoAsync(session, "NOOP"),
    ];

    public static async Task PipelineAsync(ModelRun run, ModelSession session)
    {
        // They would hear of each change as it comes; the model knows what has become of them all.
        foreach (var idle in run.Sessions.Where(other => other.Idling))
            await run.StopIdleAsync(idle);

        var random = run.Random;
        // One APPEND: several share a commit, and the first one's EXISTS may count them all (ImapPipelinedAppendTests).
        var appends = random.Next(4);
        var steps = Enumerable.Range(0, 2 + random.Next(2))
            .Select(i => (Run: Steps[i == appends ? 0 : 1 + random.Next(Steps.Length - 1)], Seed: random.Next(), Choices: new Choices())).ToList();
        var commands = new List<string>();
        session.Client.IsDry = true;
        foreach (var step in steps)
        {
            (run.Random, run.Choices) = (new(step.Seed), step.Choices);
            commands.Add((await Should.ThrowAsync<NotSent>(step.Run(run, session))).Command);
        }

        session.Client.IsDry = false;
        await session.Client.SendAheadAsync(commands);
        foreach (var step in steps)
        {
            (run.Random, run.Choices) = (new(step.Seed), step.Choices);
            step.Choices.Again();
            await step.Run(run, session);
        }

        (run.Random, run.Choices) = (random, new());
    }
}
