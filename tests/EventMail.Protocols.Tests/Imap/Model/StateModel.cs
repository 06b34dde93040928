using System.Diagnostics;
using EventMail.Domain.Mailboxes;
using EventMail.Protocols.Tests.Imap.Model.Steps;

namespace EventMail.Protocols.Tests.Imap.Model;

/// <summary>
/// Random commands from several sessions on several mailboxes, against the server and against <see cref="ModelMailbox"/>. A seed
/// and a step's number make the step, so that steps can be left out of a run and the others stay much as they were.
/// </summary>
/// <param name="messages">At least so many are there at the beginning.</param>
internal sealed class StateModel(ImapFixture fixture, int seed, int messages = 0)
{
    private static readonly TimeSpan ShrinkingTime = TimeSpan.FromMinutes(2);

    private static readonly Abilities[] Kinds =
    [
        Abilities.Plain, Abilities.Condstore, Abilities.Qresync, Abilities.Rev2, Abilities.UidOnly,
        Abilities.Qresync | Abilities.Rev2, Abilities.Qresync | Abilities.UidOnly, Abilities.Qresync | Abilities.Rev2 | Abilities.UidOnly,
    ];

    private delegate Task Step(ModelRun run, ModelSession session);

    private static readonly (int Weight, Step Run)[] Anywhere =
    [
        (10, Appending.AppendAsync), (3, Appending.DeliverAsync), (6, Selecting.SelectAsync), (4, Naming.StatusAsync),
        (2, Naming.CreateAsync), (1, Naming.DeleteAsync), (2, Naming.RenameAsync), (1, Selecting.ReconnectAsync),
    ];

    private static readonly (int Weight, Step Run)[] Selected =
    [
        .. Anywhere, (18, Storing.StoreAsync), (8, Removing.ExpungeAsync), (3, Appending.ReplaceAsync), (10, Removing.CopyAsync), (14, Fetching.FetchAsync),
        (12, Searching.SearchAsync), (4, Fetching.CheckAsync), (5, Selecting.IdleAsync), (1, Selecting.CloseAsync), (15, Pipelining.PipelineAsync),
    ];

    private static readonly (int Weight, Step Run)[] GuestAnywhere =
        [(4, Appending.AppendAsync), (12, Selecting.SelectAsync), (1, Selecting.ReconnectAsync)];

    private static readonly (int Weight, Step Run)[] GuestSelected =
    [
        .. GuestAnywhere, (25, Storing.StoreAsync), (8, Removing.ExpungeAsync), (14, Fetching.FetchAsync), (12, Searching.SearchAsync), (4, Fetching.CheckAsync),
        (5, Selecting.IdleAsync), (1, Selecting.CloseAsync),
    ];

    // What a guest may do: read; read, and have read; all but administer.
    private static readonly string[] GuestRights = ["lr", "lrs", "lrswite"];

    /// <summary>Fails with the seed and the shortest dialogue found that still fails.</summary>
    public async Task RunAsync(int steps)
    {
        var all = Enumerable.Range(0, steps).ToList();
        if (await TryAsync(all) is { } fault)
            throw await ShrinkAsync(all, fault);
    }

    private async Task<ModelFault?> TryAsync(IReadOnlyList<int> steps)
    {
        await using var run = new ModelRun(fixture, await fixture.NewAccountAsync(), await fixture.NewAccountAsync());
        try
        {
            await StartAsync(run);
            foreach (var step in steps)
                await StepAsync(run, step);
            await FinishAsync(run);
            return null;
        }
        catch (ModelFault fault)
        {
            return fault;
        }
        catch (Exception error) when (error is KeyNotFoundException or InvalidOperationException or ArgumentException or FormatException)
        {
            return run.Dialogue.Fault(error.ToString());
        }
    }

    private async Task<Exception> ShrinkAsync(List<int> steps, ModelFault fault)
    {
        var watch = Stopwatch.StartNew();
        for (var size = steps.Count / 2; size > 0 && watch.Elapsed < ShrinkingTime; size = size > 1 ? (size + 1) / 2 : 0)
        {
            for (var at = steps.Count - size; at > -size && watch.Elapsed < ShrinkingTime; at -= size)
            {
                var fewer = steps.Where((_, i) => i < at || i >= at + size).ToList();
                if (await TryAsync(fewer) is { } still)
                    (steps, fault) = (fewer, still);
            }
        }

        return new InvalidOperationException($"Seed {seed}, {steps.Count} steps ({string.Join(' ', steps)}): {fault.Message}");
    }

    private async Task StartAsync(ModelRun run)
    {
        var random = run.Random = new(seed);
        await run.KnowAsync("INBOX");
        var count = 4 + random.Next(3);
        for (var i = 0; i < count; i++)
        {
            // The first two of a run take turns, so that each kind is in some run.
            var session = new ModelSession(((char)('a' + i)).ToString(), Kinds[i < 2 ? (seed * 2 + i) % Kinds.Length : random.Next(Kinds.Length)]);
            await run.ConnectAsync(session);
            run.Sessions.Add(session);
        }

        await InviteAsync(run);
        await run.DoAsync(run.Sessions[0], "CREATE Work");
        await run.KnowAsync("Work");
        await FillAsync(run);
        foreach (var session in run.Sessions)
            await Selecting.SelectAsync(run, session, "SELECT", "INBOX", null);
    }

    // Two sessions of another account at most.
    private static async Task InviteAsync(ModelRun run)
    {
        var rights = GuestRights[run.Random.Next(GuestRights.Length)];
        await run.DoAsync(run.Sessions[0], $"SETACL INBOX {run.Guest.Address} {rights}", apply: run.Mailboxes["INBOX"].Touch);
        var count = run.Random.Next(3);
        for (var i = 0; i < count; i++)
        {
            var session = new ModelSession(((char)('x' + i)).ToString(), Kinds[run.Random.Next(Kinds.Length)], rights);
            await run.ConnectAsync(session);
            run.Sessions.Add(session);
        }
    }

    // By copies of copies, so that they are soon there.
    private async Task FillAsync(ModelRun run)
    {
        if (messages == 0)
            return;
        var (session, inbox) = (run.Sessions[0], run.Mailboxes["INBOX"]);
        await Appending.DeliverAsync(run, session);
        await Selecting.SelectAsync(run, session, "SELECT", "INBOX", null);
        while (inbox.Messages.Count < messages)
            await run.DoAsync(session, "UID COPY 1:* INBOX", apply: () => inbox.Add([.. inbox.Messages.Values.Select(message => message.Flags)]));
    }

    private async Task StepAsync(ModelRun run, int step)
    {
        var random = run.Random = new(unchecked(seed * 1_000_003 + step * 7919));
        run.Choices = new();
        var session = run.Sessions[random.Next(run.Sessions.Count)];
        if (session.Idling)
            await run.StopIdleAsync(session);
        else if (session.Mailbox is { Deleted: true })
            await Selecting.LoseAsync(run, session);
        else
            await Pick(random, TableOf(session))(run, session);
        await run.TellIdlingAsync();
    }

    private static (int Weight, Step Run)[] TableOf(ModelSession session) => (session.IsGuest, session.Mailbox) switch
    {
        (false, null) => Anywhere,
        (false, _) => Selected,
        (true, null) => GuestAnywhere,
        _ => GuestSelected,
    };

    private static Step Pick(Random random, (int Weight, Step Run)[] table)
    {
        var at = random.Next(table.Sum(row => row.Weight));
        return table.First(row => (at -= row.Weight) < 0).Run;
    }

    // Each session synchronises, those with QRESYNC once more from their oldest point; and the model is what the server has.
    private static async Task FinishAsync(ModelRun run)
    {
        run.Random = new(0);
        foreach (var session in run.Sessions)
        {
            if (session.Idling)
                await run.StopIdleAsync(session);
            if (session.Mailbox is { Deleted: false })
                await Fetching.CheckAsync(run, session);
            foreach (var cache in session.Caches.Where(cache => !cache.Mailbox.Deleted).Take(1).ToList())
            {
                await Selecting.SelectAsync(run, session, "SELECT", cache.Mailbox.Name, cache);
                await Fetching.CheckAsync(run, session);
            }

        }

        foreach (var mailbox in run.Mailboxes.Values)
            await CompareAsync(run, mailbox);
    }

    private static async Task CompareAsync(ModelRun run, ModelMailbox mailbox)
    {
        var opened = await run.Fixture.Mail.Mailboxes.OpenAsync(run.Account.Account, mailbox.Name, default);
        using var open = opened.Value ?? throw run.Dialogue.Fault($"{mailbox.Name} is not there");
        var view = open.View;
        var rows = Enumerable.Range(0, view.Count).Select(i => view[i]).ToList();
        var same = view.UidNext == mailbox.UidNext && mailbox.MayBeHighest(view.HighestModSeq)
            && rows.Select(row => (row.Uid, row.ModSeq)).SequenceEqual(mailbox.Messages.Select(message => (message.Key, message.Value.ModSeq)))
            && rows.Zip(mailbox.Messages.Values).All(pair => pair.Second.Flags.SetEquals(Names(view.Flags, pair.First.Flags)));
        if (!same)
            throw run.Dialogue.Fault($"{mailbox.Name} is not what it should be");
    }

    private static IEnumerable<string> Names(FlagTable table, ulong mask) =>
        Enumerable.Range(0, 64).Where(bit => (mask >> bit & 1) != 0).Select(table.NameOf);
}
