using System.Globalization;

namespace EventMail.Protocols.Tests.Imap.Model.Steps;

/// <summary>CREATE, DELETE, RENAME and STATUS, also of mailboxes that sessions have selected.</summary>
internal static class Naming
{
    public static async Task CreateAsync(ModelRun run, ModelSession session)
    {
        var name = AnyName(run);
        var isNew = !run.Mailboxes.ContainsKey(name);
        await run.DoAsync(session, $"CREATE {name}", isNew ? "OK" : "NO");
        if (isNew)
            await run.KnowAsync(name);
    }

    private static string AnyName(ModelRun run) => ModelRun.Names[run.Random.Next(ModelRun.Names.Length)];

    public static async Task DeleteAsync(ModelRun run, ModelSession session)
    {
        var name = AnyName(run);
        var isThere = name != "INBOX" & run.Mailboxes.TryGetValue(name, out var mailbox);
        if (!isThere || mailbox != session.Mailbox)
        {
            await run.DoAsync(session, $"DELETE {name}", isThere ? "OK" : "NO");
        }
        else
        {
            // It knows what it does: it is left with no mailbox, where others are told BYE.
            session.Leave();
            await run.DoAsync(session, $"DELETE {name}");
        }

        if (!isThere)
            return;
        mailbox!.Deleted = true;
        run.Mailboxes.Remove(name);
    }

    public static async Task RenameAsync(ModelRun run, ModelSession session)
    {
        var (from, to) = (AnyName(run), AnyName(run));
        var isThere = run.Mailboxes.TryGetValue(from, out var mailbox);
        if (!isThere || run.Mailboxes.ContainsKey(to))
        {
            await run.DoAsync(session, $"RENAME {from} {to}", "NO");
            return;
        }

        List<uint> moved = from == "INBOX" ? [.. mailbox!.Messages.Keys] : [];
        var messages = moved.ConvertAll(uid => mailbox!.Messages[uid].Flags);
        await run.DoAsync(session, $"RENAME {from} {to}", apply: () =>
        {
            if (from == "INBOX")
                mailbox!.Expunge(moved);
            else
                mailbox!.Touch();
        });
        if (from == "INBOX")
        {
            // RFC 3501 §6.3.5: its messages move into a new one.
            (await run.KnowAsync(to)).Add(messages);
            return;
        }

        run.Mailboxes.Remove(from);
        run.Mailboxes[to] = mailbox!;
        mailbox!.Name = to;
    }

    public static async Task StatusAsync(ModelRun run, ModelSession session)
    {
        var (name, condstore) = (run.AnyName(), session.Can(Abilities.Condstore | Abilities.Qresync) && run.Random.Next(2) == 0);
        var command = $"STATUS {name} (MESSAGES UIDNEXT UIDVALIDITY UNSEEN{(condstore ? " HIGHESTMODSEQ" : "")})";
        if (!run.Mailboxes.TryGetValue(name, out var mailbox))
        {
            await run.DoAsync(session, command, "NO");
            return;
        }

        var (_, heard) = await run.DoAsync(session, command, apply: () => session.Aware |= condstore);
        var told = heard.Answers.OfType<Untagged.MailboxStatus>().Single();
        var unseen = mailbox.Messages.Values.Count(message => !message.Flags.Contains("\\Seen"));
        if (told.Mailbox != name || Item("MESSAGES") != mailbox.Messages.Count || Item("UIDNEXT") != mailbox.UidNext
            || Item("UIDVALIDITY") != mailbox.UidValidity || Item("UNSEEN") != unseen
            || (condstore && !mailbox.MayBeHighest(told.Items["HIGHESTMODSEQ"])))
            throw heard.Fault($"STATUS of {string.Create(CultureInfo.InvariantCulture, $"{mailbox.Messages.Count} messages, {unseen} unseen, {mailbox.UidNext}, {mailbox.Version}")}");

        long Item(string item) => told.Items[item];
    }
}
