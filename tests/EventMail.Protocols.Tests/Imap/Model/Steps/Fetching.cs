namespace EventMail.Protocols.Tests.Imap.Model.Steps;

internal static class Fetching
{
    public static async Task FetchAsync(ModelRun run, ModelSession session)
    {
        var random = run.Random;
        var (chosen, condstore) = (run.Messages(session, fresh: true), session.Can(Abilities.Condstore | Abilities.Qresync));
        var items = new List<string> { random.Next(4) == 0 ? "RFC822.SIZE" : "FLAGS" };
        if (random.Next(2) == 0)
            items.Add("UID");
        if (condstore && random.Next(3) == 0)
            items.Add("MODSEQ");
        var body = random.Next(8) == 0;
        if (body)
            items.Add("BODY[TEXT]");
        var since = condstore && !body && random.Next(3) == 0 ? Storing.AnyModSeq(run, session) : -1;
        var vanished = since >= 0 && chosen is { ByUid: true, Set: not "$" } && session.Can(Abilities.Qresync) && random.Next(2) == 0;
        var modifiers = since < 0 ? "" : $" (CHANGEDSINCE {since}{(vanished ? " VANISHED" : "")})";
        await RunAsync(run, session, new(chosen, items, body, since, vanished), $"{chosen.Prefix}FETCH {chosen.Set} ({string.Join(' ', items)}){modifiers}");
    }

    private sealed record Fetch(Chosen Chosen, List<string> Items, bool Body, long Since, bool Vanished)
    {
        public bool AsksModSeq => Since >= 0 || Items.Contains("MODSEQ");
    }

    private static async Task RunAsync(ModelRun run, ModelSession session, Fetch fetch, string command)
    {
        var (mailbox, byUid) = (session.Mailbox!, fetch.Chosen.ByUid);
        var hearing = new Hearing(run.Dialogue, session)
        {
            MayExpunge = byUid,
            Asked = fetch.Chosen.Uids ?? [],
            Before = fetch.Body && byUid ? mailbox.Messages.ToDictionary() : null,
            MayVanishEarlier = fetch.Vanished,
            BecomesAware = !session.Aware && fetch.AsksModSeq,
        };
        if (fetch.Chosen.Uids is not { } uids)
        {
            await run.DoAsync(session, command, "BAD", hearing: hearing);
            return;
        }

        // By UID the messages as they are now, by number as the client was told of them last.
        ModelMessage Seen(uint uid) => byUid ? session.Current(uid) : session.Synced[uid];
        HashSet<uint> expected = [.. uids.Where(uid => Seen(uid).ModSeq > fetch.Since)];
        HashSet<uint> stale = [.. session.Known.Where(uid => session.Synced[uid] != session.Current(uid))];
        var earlier = fetch.Vanished ? Earlier(session, fetch) : [];
        var (_, heard) = await run.DoAsync(session, command, hearing: hearing, apply: () =>
        {
            session.Aware |= fetch.AsksModSeq;
            if (fetch.Body && !session.ReadOnly && session.May('s'))
                mailbox.Store(expected.Where(uid => !Seen(uid).Flags.Contains("\\Seen")), '+', ["\\Seen"]);
        });
        if (heard.BecomesAware && heard.Argument("HIGHESTMODSEQ") is null)
            throw heard.Fault("HIGHESTMODSEQ is missing (RFC 7162 §3.1)");
        if (!heard.Earlier.SetEquals(earlier))
            throw heard.Fault($"vanished earlier: {string.Join(',', earlier)}");
        Check(heard, fetch, expected, stale, uidRequired: byUid && !session.Can(Abilities.UidOnly));
    }

    // RFC 7162 §3.2.6; what the client still counts is told without EARLIER.
    private static SortedSet<uint> Earlier(ModelSession session, Fetch fetch)
    {
        var known = session.Fresh.Append(Math.Max(session.Mailbox!.UidNext - 1, 1)).ToList();
        return [.. session.Mailbox.Gone
            .Where(gone => gone.Value > fetch.Since && !session.Known.Contains(gone.Key) && Sets.HasUid(fetch.Chosen.Set, gone.Key, known, session.Saved))
            .Select(gone => gone.Key)];
    }

    private static void Check(Hearing heard, Fetch fetch, HashSet<uint> expected, HashSet<uint> stale, bool uidRequired)
    {
        foreach (var (uid, response) in heard.Fetched.Where(fetched => !expected.Contains(fetched.Uid)))
        {
            if (!stale.Contains(uid))
                throw heard.Fault($"{uid} was neither asked for nor changed: {response}");
        }

        foreach (var uid in expected)
        {
            var responses = heard.Fetched.Where(fetched => fetched.Uid == uid).Select(fetched => fetched.Response).ToList();
            if (responses.Count == 0
                || (fetch.Items.Contains("FLAGS") && responses.TrueForAll(response => response.Flags is null))
                || (fetch.AsksModSeq && responses.TrueForAll(response => response.ModSeq is null))
                || ((uidRequired || fetch.Items.Contains("UID")) && responses.TrueForAll(response => response.Uid is null)))
                throw heard.Fault($"of {uid} not everything was told");
        }
    }

    /// <summary>The client asks for everything, and it must be what it should know.</summary>
    public static async Task CheckAsync(ModelRun run, ModelSession session)
    {
        await run.DoAsync(session, "NOOP");
        var condstore = session.Can(Abilities.Condstore | Abilities.Qresync);
        var command = $"{(session.Can(Abilities.UidOnly) ? "UID " : "")}FETCH 1:* (UID FLAGS{(condstore ? " MODSEQ" : "")})";
        var hearing = new Hearing(run.Dialogue, session) { MayExpunge = session.Can(Abilities.UidOnly), Asked = session.Known.ToHashSet() };
        var (_, heard) = await run.DoAsync(session, command, apply: () => session.Aware |= condstore, hearing: hearing);
        if (!session.Known.SequenceEqual(session.Mailbox!.Messages.Keys))
            throw heard.Fault($"it knows {string.Join(',', session.Known)}");
        if (session.Known.Find(uid => session.ToldOf(uid) is var told && (told.Flags is null || (condstore && told.ModSeq is null))) is > 0 and var missing)
            throw heard.Fault($"of {missing} not everything was told");
        // RFC 3501 §7.3.2
        var recent = session.Known.Count(uid => session.ToldOf(uid).Recent == true);
        if (recent != session.Recent)
            throw heard.Fault($"{recent} messages are \\Recent, RECENT was {session.Recent}");
    }
}
