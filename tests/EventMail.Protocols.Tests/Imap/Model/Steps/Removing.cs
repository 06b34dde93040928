using System.Collections.Immutable;

namespace EventMail.Protocols.Tests.Imap.Model.Steps;

/// <summary>EXPUNGE, UID EXPUNGE, COPY and MOVE.</summary>
internal static class Removing
{
    private const int ManyMessages = 120;

    public static async Task ExpungeAsync(ModelRun run, ModelSession session)
    {
        var mailbox = session.Mailbox!;
        var (command, uids) = ("EXPUNGE", mailbox.Deleting);
        if (run.Random.Next(2) == 0)
        {
            var chosen = run.Messages(session, byUid: true);
            command = $"UID EXPUNGE {chosen.Set}";
            uids.RemoveAll(uid => !Sets.HasUid(chosen.Set, uid, session.Known, session.Saved));
        }

        if (session.ReadOnly || !session.May('e'))
        {
            await run.DoAsync(session, command, "NO");
            return;
        }

        var (answer, heard) = await run.DoAsync(session, command, apply: () => mailbox.Expunge(uids));
        CheckHighest(session, heard, answer, uids.Count > 0);
    }

    // RFC 7162 §3.2.7, §3.2.8
    public static void CheckHighest(ModelSession session, Hearing heard, Answer answer, bool gone)
    {
        if ((gone && session.Can(Abilities.Qresync)) != (answer.Code?.StartsWith("HIGHESTMODSEQ ", StringComparison.Ordinal) ?? false))
            throw heard.Fault($"HIGHESTMODSEQ and what went do not fit: [{answer.Code}]");
    }

    public static async Task CopyAsync(ModelRun run, ModelSession session)
    {
        // Mailboxes that double every now and then would take all the time.
        if (run.Choose(_ => run.Mailboxes.Values.Any(mailbox => mailbox.Messages.Count > ManyMessages)))
        {
            await ExpungeAsync(run, session);
            return;
        }

        var (source, chosen, name, move) = (session.Mailbox!, run.Messages(session), run.AnyName(), run.Random.Next(2) == 0);
        var command = $"{chosen.Prefix}{(move ? "MOVE" : "COPY")} {chosen.Set} {name}";
        var there = chosen.Uids?.Where(source.Messages.ContainsKey).Order().ToList();
        if (there is null)
        {
            await run.DoAsync(session, command, "BAD");
            return;
        }

        if ((move && session.ReadOnly) || (!chosen.ByUid && there.Count < chosen.Uids!.Count) || !run.Mailboxes.TryGetValue(name, out var destination))
        {
            await run.DoAsync(session, command, "NO");
            return;
        }

        List<uint> copies = [];
        var (answer, heard) = await run.DoAsync(session, command, apply: () =>
        {
            var flags = there.Select(uid => source.Messages[uid].Flags).ToImmutableArray();
            copies = destination.Add(flags);
            if (move)
                source.Expunge(there);
        });
        CheckCopied(move ? heard.Argument("COPYUID") : answer.Code?["COPYUID ".Length..], heard, destination, there, copies);
        if (move)
            CheckHighest(session, heard, answer, there.Count > 0);
    }

    // RFC 4315 §3
    private static void CheckCopied(string? copied, Hearing heard, ModelMailbox destination, List<uint> from, List<uint> to)
    {
        if (from.Count == 0 ? copied is null : copied?.Split(' ') is [var validity, var sources, var copies] && Sets.Number(validity) == destination.UidValidity
            && Sets.Parse(sources).SequenceEqual(from) && Sets.Parse(copies).SequenceEqual(to))
            return;
        throw heard.Fault($"COPYUID {copied} for {string.Join(',', from)} as {string.Join(',', to)}");
    }
}
