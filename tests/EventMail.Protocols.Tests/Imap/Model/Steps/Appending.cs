using System.Text;
using EventMail.Projections;
using EventMail.Projections.Mailboxes;

namespace EventMail.Protocols.Tests.Imap.Model.Steps;

internal static class Appending
{
    private static string Message(ModelRun run) => $"Subject: {run.Random.Next(10)}\r\n\r\nx\r\n";

    /// <summary>APPEND, now and then of several messages (RFC 3502).</summary>
    public static async Task AppendAsync(ModelRun run, ModelSession session)
    {
        var (name, messages) = (run.AnyName(), new List<string[]>());
        do
        {
            messages.Add(run.SomeFlags());
        }
        while (run.Random.Next(4) == 0);
        var command = $"APPEND {run.NameFor(session, name)}{string.Concat(messages.Select(flags => Argument(run, flags)))}";
        if (run.Find(session, name) is not { } mailbox || !session.May('i'))
        {
            await run.DoAsync(session, command, "NO");
            return;
        }

        List<uint> uids = [];
        var (answer, heard) = await run.DoAsync(session, command, apply: () => uids = [.. messages.SelectMany(flags => mailbox.Add([ModelMessage.SetOf(flags.Where(session.MaySet))]))]);
        CheckAppended(heard, answer.Code?.Split(' ')[1..], mailbox, uids);
    }

    private static string Argument(ModelRun run, string[] flags)
    {
        var message = Message(run);
        return $" ({string.Join(' ', flags)}) {{{message.Length}+}}\r\n{message}";
    }

    // RFC 4315 §3
    private static void CheckAppended(Hearing heard, string[]? told, ModelMailbox mailbox, List<uint> uids)
    {
        if (told is not [var validity, var set] || Sets.Number(validity) != mailbox.UidValidity || !Sets.Parse(set).SequenceEqual(uids))
            throw heard.Fault($"APPENDUID should be {mailbox.UidValidity} {string.Join(',', uids)}");
    }

    /// <summary>REPLACE and UID REPLACE (RFC 8508).</summary>
    public static async Task ReplaceAsync(ModelRun run, ModelSession session)
    {
        var (random, known, source) = (run.Random, session.Known, session.Mailbox!);
        if (known.Count == 0)
        {
            await AppendAsync(run, session);
            return;
        }

        var (at, name, flags) = (random.Next(known.Count), run.AnyName(), run.SomeFlags());
        var (uid, byUid) = (known[at], session.Can(Abilities.UidOnly) || random.Next(2) == 0);
        var command = $"{(byUid ? "UID " : "")}REPLACE {(byUid ? uid : (uint)at + 1)} {name}{Argument(run, flags)}";
        if (session.ReadOnly || !source.Messages.ContainsKey(uid) || !run.Mailboxes.TryGetValue(name, out var destination))
        {
            await run.DoAsync(session, command, "NO");
            return;
        }

        List<uint> uids = [];
        var (answer, heard) = await run.DoAsync(session, command, apply: () =>
        {
            uids = destination.Add([ModelMessage.SetOf(flags)]);
            source.Expunge([uid]);
        });
        CheckAppended(heard, heard.Argument("APPENDUID")?.Split(' '), destination, uids);
        Removing.CheckHighest(session, heard, answer, gone: true);
    }

    /// <summary>From outside, as SMTP does.</summary>
    public static async Task DeliverAsync(ModelRun run, ModelSession session)
    {
        var mail = run.Fixture.Mail;
        run.Dialogue.Note("*", "-", "(a message arrives in INBOX)");
        await using var incoming = IncomingMessage.Begin(mail.Log.Contents);
        await incoming.WriteAsync(Encoding.ASCII.GetBytes(Message(run)), default);
        var content = await incoming.CompleteAsync(mayExist: true, default);
        var received = await mail.Mailboxes.Arrivals.ReceiveAsync(
            [new(run.Account.Account, run.Account.Address, run.Account.Address)], content, "", null, QuotaRule.EveryoneFits, Actor.System, null, default);
        if (received.Rejection is { } rejection)
            throw run.Dialogue.Fault(rejection.Text);
        run.Mailboxes["INBOX"].Add([ModelMessage.SetOf([])]);
        await run.DoAsync(session, "NOOP");
    }
}
