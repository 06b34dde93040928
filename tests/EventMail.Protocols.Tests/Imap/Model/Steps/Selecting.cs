using System.Globalization;

namespace EventMail.Protocols.Tests.Imap.Model.Steps;

internal static class Selecting
{
    public static Task SelectAsync(ModelRun run, ModelSession session)
    {
        var name = run.AnyName();
        var cache = session.Caches.Count > 0 && run.Random.Next(4) > 0 ? session.Caches[run.Random.Next(session.Caches.Count)] : null;
        // A cache of what was there under this name before, and of a mailbox that has another name now.
        if (cache is not null && run.Random.Next(8) > 0)
            name = cache.Mailbox.Name;
        return SelectAsync(run, session, run.Random.Next(4) == 0 ? "EXAMINE" : "SELECT", name, cache);
    }

    public static async Task SelectAsync(ModelRun run, ModelSession session, string verb, string name, Cache? cache)
    {
        var resync = cache is null ? null : Resync.Of(run, session, cache);
        var condstore = session.Can(Abilities.Condstore) && run.Random.Next(4) == 0;
        var command = $"{verb} {run.NameFor(session, name)}{(resync is not null ? $" ({resync.Text})" : condstore ? " (CONDSTORE)" : "")}";
        var before = session.Mailbox;
        session.Leave();
        session.Aware |= condstore;
        var hearing = new Hearing(run.Dialogue, session) { MayVanishEarlier = resync is not null };
        if (run.Find(session, name) is not { } mailbox)
        {
            await run.DoAsync(session, command, "NO", hearing: hearing);
            return;
        }

        session.Enter(mailbox, verb == "EXAMINE" || !session.MayChange);
        var recent = mailbox.Messages.Keys.Count(uid => uid >= mailbox.FirstUnclaimed);
        var (answer, heard) = await run.DoAsync(session, command, hearing: hearing, apply: () => resync?.Believe(session));
        // RFC 7162 §3.2.11
        if ((before is not null) != heard.States.Exists(state => state.Code == "CLOSED"))
            throw heard.Fault("CLOSED is wrong");
        if (answer.Code != (session.ReadOnly ? "READ-ONLY" : "READ-WRITE"))
            throw heard.Fault($"[{answer.Code}]");
        Check(session, heard, mailbox, recent);
        resync?.Check(session, heard);
        if (!session.Can(Abilities.Rev2) && session.Recent != recent)
            throw heard.Fault($"RECENT should be {recent}");
    }

    private static void Check(ModelSession session, Hearing heard, ModelMailbox mailbox, int recent)
    {
        Code("UIDVALIDITY", mailbox.UidValidity);
        Code("UIDNEXT", mailbox.UidNext);
        if (heard.Argument("HIGHESTMODSEQ") is not { } modSeq || !mailbox.MayBeHighest(long.Parse(modSeq, CultureInfo.InvariantCulture)))
            throw heard.Fault($"HIGHESTMODSEQ should be {mailbox.Version}");
        var unseen = mailbox.Messages.Values.TakeWhile(message => message.Flags.Contains("\\Seen")).Count() + 1;
        if (session.Can(Abilities.Rev2 | Abilities.UidOnly) || unseen > mailbox.Messages.Count)
        {
            if (heard.Argument("UNSEEN") is not null)
                throw heard.Fault("there is no UNSEEN");
        }
        else
        {
            Code("UNSEEN", unseen);
        }

        void Code(string name, long value)
        {
            if (heard.Argument(name) != value.ToString(CultureInfo.InvariantCulture))
                throw heard.Fault($"{name} should be {value}");
        }
    }

    public static async Task CloseAsync(ModelRun run, ModelSession session)
    {
        var (mailbox, verb) = (session.Mailbox!, run.Random.Next(2) == 0 ? "CLOSE" : "UNSELECT");
        var expunges = verb == "CLOSE" && !session.ReadOnly && session.May('e');
        session.Leave();
        await run.DoAsync(session, verb);
        if (expunges)
            mailbox.Expunge(mailbox.Deleting);
    }

    /// <summary>The mailbox is gone: the session may leave it, or it ends (RFC 2180 §3.3).</summary>
    public static async Task LoseAsync(ModelRun run, ModelSession session)
    {
        switch (run.Random.Next(4))
        {
            case 0:
                await SelectAsync(run, session, "SELECT", "INBOX", null);
                return;
            case 1:
                session.Leave();
                await run.DoAsync(session, run.Random.Next(2) == 0 ? "CLOSE" : "UNSELECT");
                return;
            default:
                var answer = await session.Client.RunAsync(run.Random.Next(2) == 0 ? "NOOP" : "UID FETCH 1:* (FLAGS)");
                if (answer.Status is not null || !answer.Untagged.Exists(line => line.StartsWith("* BYE ", StringComparison.Ordinal)))
                    throw run.Dialogue.Fault($"{session.Name}: no BYE, though the mailbox is gone");
                await run.ConnectAsync(session);
                return;
        }
    }

    /// <summary>With LOGOUT or without.</summary>
    public static async Task ReconnectAsync(ModelRun run, ModelSession session)
    {
        if (run.Random.Next(2) == 0)
            await session.Client.RunAsync("LOGOUT");
        await run.ConnectAsync(session);
    }

    public static async Task IdleAsync(ModelRun run, ModelSession session)
    {
        var hearing = new Hearing(run.Dialogue, session);
        foreach (var line in await session.Client.IdleAsync())
            hearing.Hear(line);
        session.Idling = true;
    }
}
