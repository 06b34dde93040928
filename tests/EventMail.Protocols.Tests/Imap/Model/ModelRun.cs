using EventMail.Projections.Accounts;

namespace EventMail.Protocols.Tests.Imap.Model;

/// <summary>One account, its mailboxes as they should be, and the sessions on them: its own and those of a guest, with whom it shares its INBOX.</summary>
internal sealed class ModelRun(ImapFixture fixture, AccountEntry account, AccountEntry guest) : IAsyncDisposable
{
    private readonly RecentClaims _claims = new(fixture.Mail, account.Account);

    public ImapFixture Fixture => fixture;

    public AccountEntry Account => account;

    public AccountEntry Guest => guest;

    public Dialogue Dialogue { get; } = new();

    /// <summary>Of the step that is on.</summary>
    public Random Random { get; set; } = new(0);

    /// <summary>Those of the step that is on.</summary>
    public Choices Choices { get; set; } = new();

    /// <summary>A choice among what there is, as against one by <see cref="Random"/> alone.</summary>
    public T Choose<T>(Func<Random, T> choose) where T : notnull => Choices.Of(Random, choose);

    public List<ModelSession> Sessions { get; } = [];

    public Dictionary<string, ModelMailbox> Mailboxes { get; } = new(StringComparer.Ordinal);

    /// <summary>The mailboxes that a run works with; some of them are there.</summary>
    public static readonly string[] Names = ["INBOX", "Work", "Box", "Other"];

    public string AnyName() => Random.Next(8) == 0 ? Names[Random.Next(Names.Length)] : Mailboxes.Keys.ElementAt(Random.Next(Mailboxes.Count));

    /// <summary>A mailbox as a session has to name it.</summary>
    public string NameFor(ModelSession session, string name) => session.IsGuest ? $"\"Other Users/{account.Address}/{name}\"" : name;

    /// <summary>Null where there is none, for this session.</summary>
    public ModelMailbox? Find(ModelSession session, string name) => session.IsGuest && name != "INBOX" ? null : Mailboxes.GetValueOrDefault(name);

    public async Task<ModelMailbox> KnowAsync(string name)
    {
        var found = await fixture.Mail.Mailboxes.FindAsync(account.Account, name, default);
        var entry = found.Value ?? throw Dialogue.Fault($"{name} is not there");
        if (Mailboxes.Values.Any(mailbox => mailbox.UidValidity == entry.UidValidity))
            throw Dialogue.Fault($"the UIDVALIDITY of {name} is another mailbox's");
        return Mailboxes[name] = new(name, entry.Id, entry.UidValidity, _claims);
    }

    /// <summary>Connects a session, again after it was lost.</summary>
    public async Task ConnectAsync(ModelSession session)
    {
        session.Leave();
        (session.Idling, session.Aware) = (false, false);
        if (session.Client is { } before)
            await before.DisposeAsync();
        session.Client = new(await fixture.LogInAsync(session.IsGuest ? guest : account), Dialogue, session.Name);
        Dialogue.Note(session.Name, "-", "(connected)");
        foreach (var (ability, name) in Enabling.Where(row => session.Can(row.Ability)))
        {
            if (await session.Client.RunAsync($"ENABLE {name}") is not { Status: "OK" })
                throw Dialogue.Fault($"{name} cannot be enabled");
            session.Aware |= ability == Abilities.Qresync;
        }
    }

    private static readonly (Abilities Ability, string Name)[] Enabling =
        [(Abilities.Qresync, "QRESYNC"), (Abilities.Rev2, "IMAP4rev2"), (Abilities.UidOnly, "UIDONLY")];

    /// <summary>A command, what it does to the model, and all that is told of it.</summary>
    /// <param name="status">What it must be answered with.</param>
    /// <param name="apply">When it was done.</param>
    public async Task<(Answer Answer, Hearing Heard)> DoAsync(
        ModelSession session, string command, string status = "OK", Action? apply = null, Hearing? hearing = null)
    {
        hearing ??= new(Dialogue, session);
        var answer = await session.Client.RunAsync(command);
        if (answer.Status != status)
            throw hearing.Fault($"{command}: {answer.Status ?? "closed"} instead of {status}");
        apply?.Invoke();
        foreach (var line in answer.Untagged)
            hearing.Hear(line);
        if (session.Mailbox is not null)
        {
            if (answer.Code?.Split(' ') is ["HIGHESTMODSEQ", var modSeq])
                hearing.HearHighest(modSeq);
            hearing.Settle();
            Claim(session);
        }

        return (answer, hearing);
    }

    /// <summary>What was done is told to those who idle.</summary>
    public async Task TellIdlingAsync()
    {
        foreach (var session in Sessions.Where(session => session.Idling))
        {
            await DrainAsync(session);
            Claim(session);
        }
    }

    // Whoever was told of messages may have been the first (RFC 3501 §2.3.2).
    private static void Claim(ModelSession session)
    {
        if (session is { Mailbox: { } mailbox, ReadOnly: false } && !session.Can(Abilities.Rev2))
            mailbox.FirstUnclaimed = mailbox.UidNext;
    }

    private async Task DrainAsync(ModelSession session)
    {
        var hearing = new Hearing(Dialogue, session);
        while (session.Mailbox!.Deleted || session.IsBehind)
        {
            if (await session.Client.ReadAsync() is { } line)
            {
                hearing.Hear(line);
                continue;
            }

            if (!session.Mailbox.Deleted || hearing.States is not [.., { Status: "BYE" }])
                throw hearing.Fault("closed");
            await ConnectAsync(session);
            return;
        }
    }

    public async Task StopIdleAsync(ModelSession session)
    {
        var hearing = new Hearing(Dialogue, session);
        var answer = await session.Client.DoneAsync();
        session.Idling = false;
        if (answer.Status != "OK")
            throw hearing.Fault($"DONE: {answer.Status ?? "closed"}");
        foreach (var line in answer.Untagged)
            hearing.Hear(line);
        hearing.Settle();
        Claim(session);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var session in Sessions)
            await session.Client.DisposeAsync();
        _claims.Dispose();
    }
}
