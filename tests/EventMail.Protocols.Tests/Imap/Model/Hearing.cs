namespace EventMail.Protocols.Tests.Imap.Model;

/// <summary>
/// What a client hears in one command. Every response must be true of the mailbox, allowed where it comes, and fit what the
/// client was told before. The model is already where the command has left it.
/// </summary>
internal sealed class Hearing(Dialogue dialogue, ModelSession session)
{
    /// <summary>Not in FETCH, STORE and SEARCH by sequence number (RFC 3501 §7.4.1, RFC 7162 §3.2.10.2).</summary>
    public bool MayExpunge { get; init; } = true;

    /// <summary>A FETCH's messages: of these it tells what was asked for, and as they were when the client was told last.</summary>
    public IReadOnlySet<uint> Asked { get; init; } = new HashSet<uint>();

    /// <summary>The messages before a command that first tells what is new and then changes something itself.</summary>
    public IReadOnlyDictionary<uint, ModelMessage>? Before { get; init; }

    /// <summary>The command makes the client CONDSTORE-aware (RFC 7162 §3.1): from the HIGHESTMODSEQ on that it is answered with.</summary>
    public bool BecomesAware { get; init; }

    /// <summary>VANISHED (EARLIER) is among the answers.</summary>
    public bool MayVanishEarlier { get; init; }

    public SortedSet<uint> Earlier { get; } = [];

    public List<(uint Uid, Untagged.Fetch Response)> Fetched { get; } = [];

    /// <summary>What is the command's own.</summary>
    public List<Untagged> Answers { get; } = [];

    public List<Untagged.State> States { get; } = [];

    public string? Argument(string code) => States.Find(state => state.Code == code)?.Argument;

    public ModelFault Fault(string what) => dialogue.Fault($"{session.Name}: {what}");

    public void Hear(string line)
    {
        switch (Untagged.Parse(line))
        {
            case Untagged.Count { What: "EXISTS" } exists:
                HearExists(exists.Number, line);
                break;
            case Untagged.Count { What: "EXPUNGE" } expunge:
                HearExpunge(expunge.Number, line);
                break;
            case Untagged.Count recent:
                if (session.Can(Abilities.Rev2))
                    throw Fault($"{line} after ENABLE IMAP4rev2");
                session.Recent = recent.Number;
                break;
            case Untagged.Vanished vanished:
                HearVanished(vanished, line);
                break;
            case Untagged.Fetch fetch:
                HearFetch(fetch, line);
                break;
            case Untagged.FlagList flags:
                session.Flags = flags.Flags;
                break;
            case Untagged.State state:
                States.Add(state);
                if (state.Code == "HIGHESTMODSEQ")
                    HearHighest(state.Argument!);
                break;
            case var other:
                Answers.Add(other);
                break;
        }
    }

    /// <summary>Told in an untagged or in a tagged OK.</summary>
    public void HearHighest(string text)
    {
        session.Highest = long.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
        if (session.Highest > session.Mailbox!.Version && !session.Mailbox.MayBeHighest(session.Highest))
            throw Fault($"HIGHESTMODSEQ {text} where {session.Mailbox.Version} is");
    }

    private void HearExists(int number, string line)
    {
        var added = session.Mailbox!.Messages.Where(message => message.Key >= session.SeenUidNext).ToList();
        if (number != session.Known.Count + added.Count)
            throw Fault($"{line}: it knows {session.Known.Count}, {added.Count} are new");
        session.SeenUidNext = session.Mailbox.UidNext;
        foreach (var (uid, message) in added)
        {
            session.Known.Add(uid);
            session.Synced[uid] = message;
        }
    }

    private void HearExpunge(int number, string line)
    {
        if (session.Can(Abilities.Qresync | Abilities.UidOnly))
            throw Fault($"{line} instead of VANISHED");
        if (!MayExpunge)
            throw Fault($"{line} during FETCH, STORE or SEARCH");
        if (number < 1 || number > session.Known.Count)
            throw Fault($"{line}: it knows {session.Known.Count}");
        Lose(session.Known[number - 1], line);
    }

    private void Lose(uint uid, string line)
    {
        if (session.Mailbox!.Messages.ContainsKey(uid))
            throw Fault($"{line}: {uid} is there");
        session.Forget(uid);
    }

    private void HearVanished(Untagged.Vanished vanished, string line)
    {
        if (vanished.Earlier)
        {
            if (!MayVanishEarlier)
                throw Fault($"{line} where nobody asked");
            Earlier.UnionWith(vanished.Uids);
            return;
        }

        if (!session.Can(Abilities.Qresync | Abilities.UidOnly))
            throw Fault($"{line} instead of EXPUNGE");
        if (!MayExpunge)
            throw Fault($"{line} during FETCH, STORE or SEARCH");
        foreach (var uid in vanished.Uids)
        {
            if (!session.Known.Contains(uid))
                throw Fault($"{line}: it knows no {uid}");
            Lose(uid, line);
        }
    }

    private void HearFetch(Untagged.Fetch fetch, string line)
    {
        if (fetch.IsUidFetch != session.Can(Abilities.UidOnly))
            throw Fault($"{line}: the wrong kind of FETCH");
        if (fetch.IsUidFetch ? !session.Known.Contains(fetch.Number) : fetch.Number < 1 || fetch.Number > session.Known.Count)
            throw Fault($"{line}: no such message");
        var uid = fetch.IsUidFetch ? fetch.Number : session.Known[(int)fetch.Number - 1];
        if (fetch.Uid is { } told && told != uid)
            throw Fault($"{line}: message {fetch.Number} is {uid}");
        if (!Asked.Contains(uid))
            CheckForm(fetch, line);
        if (fetch.ModSeq is not null && !session.Aware)
            throw Fault($"{line}: MODSEQ is not enabled");

        var now = session.Current(uid);
        if (Matches(fetch, now))
            session.Synced[uid] = fetch.Flags is null ? session.Synced[uid] : now;
        else if (!(Before?.TryGetValue(uid, out var before) == true && Matches(fetch, before)) && (!Asked.Contains(uid) || !Matches(fetch, session.Synced[uid])))
            throw Fault($"{line}: {uid} is ({string.Join(' ', now.Flags)}) at {now.ModSeq}");
        Remember(fetch, uid, line);
        Fetched.Add((uid, fetch));
    }

    // RFC 7162 §3.1.4.2, §3.2.4: what comes unasked.
    private void CheckForm(Untagged.Fetch fetch, string line)
    {
        if (session.Aware && fetch.ModSeq is null && !(BecomesAware && Argument("HIGHESTMODSEQ") is null))
            throw Fault($"{line}: MODSEQ is missing");
        if (session.Can(Abilities.Qresync) && !fetch.IsUidFetch && fetch.Uid is null)
            throw Fault($"{line}: UID is missing");
    }

    private static bool Matches(Untagged.Fetch fetch, ModelMessage message) =>
        (fetch.Flags?.SetEquals(message.Flags) ?? true) && (fetch.ModSeq ?? message.ModSeq) == message.ModSeq;

    private void Remember(Untagged.Fetch fetch, uint uid, string line)
    {
        var told = session.ToldOf(uid);
        if (fetch.Flags is { } flags)
        {
            // RFC 3501 §7.2.6
            if (!flags.IsSubsetOf(session.Flags))
                throw Fault($"{line}: FLAGS has told of ({string.Join(' ', session.Flags)}) only");
            CheckRecent(uid, told.Recent, fetch.Recent, line);
            told = told with { Flags = flags, Recent = fetch.Recent };
        }

        if (fetch.ModSeq is { } modSeq)
        {
            told = told with { ModSeq = modSeq };
            session.Highest = Math.Max(session.Highest, modSeq);
        }

        session.Told[uid] = told;
    }

    // RFC 3501 §2.3.2: one session is told, and no other that could take it.
    private void CheckRecent(uint uid, bool? before, bool now, string line)
    {
        if (before is { } told && told != now)
            throw Fault($"{line}: \\Recent has changed");
        if (!now)
            return;
        if (session.Can(Abilities.Rev2))
            throw Fault($"{line}: \\Recent after ENABLE IMAP4rev2");
        if (uid < session.UnclaimedFrom)
            throw Fault($"{line}: \\Recent was another session's");
        if (!session.ReadOnly && !session.Mailbox!.RecentOf.TryAdd(uid, session.Selection)
            && session.Mailbox.RecentOf[uid] != session.Selection)
            throw Fault($"{line}: \\Recent is another session's");
    }

    /// <summary>The command is over: the client knows everything that it may be told.</summary>
    public void Settle()
    {
        var truth = session.Mailbox!.Messages;
        if (truth.Keys.FirstOrDefault(uid => uid >= session.SeenUidNext) is > 0 and var missing)
            throw Fault($"it was not told of {missing}");
        foreach (var uid in session.Known)
        {
            if (!truth.TryGetValue(uid, out var message))
            {
                if (MayExpunge)
                    throw Fault($"it was not told that {uid} is gone");
                // RFC 7162 §3.2
                if (session.Aware && session.Highest >= session.Mailbox.Gone[uid])
                    throw Fault($"it would keep {session.Highest} and never hear that {uid} went at {session.Mailbox.Gone[uid]}");
                continue;
            }

            session.Synced[uid] = message;
            var told = session.ToldOf(uid);
            if (told.Flags is { } flags && !flags.SetEquals(message.Flags))
                throw Fault($"it knows {uid} as ({string.Join(' ', flags)}), it is ({string.Join(' ', message.Flags)})");
            if (session.Aware && told.ModSeq is { } modSeq && modSeq != message.ModSeq)
                throw Fault($"it knows {uid} at {modSeq}, it is at {message.ModSeq}");
        }
    }
}
