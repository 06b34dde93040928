namespace EventMail.Protocols.Tests.Imap.Model.Steps;

internal static class Storing
{
    public static async Task StoreAsync(ModelRun run, ModelSession session)
    {
        var (random, mailbox, chosen) = (run.Random, session.Mailbox!, run.Messages(session));
        var (mode, flags, silent) = ("+-="[random.Next(3)], run.SomeFlags(), random.Next(2) == 0);
        var since = session.Can(Abilities.Condstore | Abilities.Qresync) && random.Next(3) == 0 ? AnyModSeq(run, session) : long.MaxValue;
        var command = $"{chosen.Prefix}STORE {chosen.Set} {(since == long.MaxValue ? "" : $"(UNCHANGEDSINCE {since}) ")}"
            + $"{(mode == '=' ? "" : mode.ToString())}FLAGS{(silent ? ".SILENT" : "")} ({string.Join(' ', flags)})";
        var hearing = new Hearing(run.Dialogue, session) { MayExpunge = chosen.ByUid };
        if (chosen.Uids is not { } uids || session.ReadOnly)
        {
            await run.DoAsync(session, command, chosen.Uids is null ? "BAD" : "NO", hearing: hearing);
            return;
        }

        // RFC 4314 §4: refused where nothing of it may be done. To take away a keyword that is nowhere is nothing, too.
        var about = mode switch { '=' => Choosing.Flags, '+' => flags, _ => [.. flags.Where(flag => flag[0] == '\\' || mailbox.Keywords.Contains(flag))] };
        if (uids.Count > 0 && about.Length > 0 && !about.Any(session.MaySet))
        {
            await run.DoAsync(session, command, "NO", apply: () => session.Aware |= since != long.MaxValue, hearing: hearing);
            return;
        }

        List<uint> modified = [];
        var (before, numbers) = (mailbox.Version, session.Known.ToList());
        var (answer, heard) = await run.DoAsync(session, command, hearing: hearing, apply: () =>
        {
            modified = mailbox.Store(uids.Order(), mode, flags, since, session.MaySet);
            session.Aware |= since != long.MaxValue;
            if (silent)
                Believe(session, uids.Except(modified), mode, flags);
        });
        CheckModified(heard, answer, [.. modified.Select(uid => chosen.ByUid ? uid : (uint)numbers.IndexOf(uid) + 1)]);
        CheckTold(session, heard, uids, modified, silent, since == long.MaxValue ? before : 0);
    }

    public static long AnyModSeq(ModelRun run, ModelSession session) => run.Choose(random => random.Next(5) switch
    {
        0 => random.Next(2),
        1 or 2 => session.Mailbox!.Version - random.Next(4),
        _ => session.Highest,
    } is >= 0 and var modSeq ? modSeq : 0);

    // RFC 3501 §6.4.6: with .SILENT the client knows by itself, unless it is told of more.
    private static void Believe(ModelSession session, IEnumerable<uint> uids, char mode, string[] flags)
    {
        foreach (var uid in uids.Where(session.Mailbox!.Messages.ContainsKey))
        {
            var told = session.ToldOf(uid);
            session.Told[uid] = told with { Flags = told.Flags is null ? null : ModelMessage.Change(told.Flags, mode, flags) };
        }
    }

    private static void CheckModified(Hearing heard, Answer answer, SortedSet<uint> modified)
    {
        var told = answer.Code?.Split(' ') is ["MODIFIED", var set] ? Sets.Parse(set) : [];
        if (!told.SetEquals(modified))
            throw heard.Fault($"MODIFIED should be {string.Join(',', modified)}");
    }

    // RFC 3501 §6.4.6, RFC 7162 §3.1.3
    private static void CheckTold(ModelSession session, Hearing heard, HashSet<uint> uids, List<uint> modified, bool silent, long changedSince)
    {
        foreach (var uid in uids.Where(session.Mailbox!.Messages.ContainsKey))
        {
            var flags = heard.Fetched.Exists(fetch => fetch.Uid == uid && fetch.Response.Flags is not null);
            if (!flags && (!silent || (modified.Contains(uid) && session.Aware)))
                throw heard.Fault($"the flags of {uid} were not told");
            if (session.Aware && !modified.Contains(uid) && session.Mailbox.Messages[uid].ModSeq > changedSince && session.ToldOf(uid).ModSeq is null)
                throw heard.Fault($"the MODSEQ of {uid} was not told");
        }
    }
}
