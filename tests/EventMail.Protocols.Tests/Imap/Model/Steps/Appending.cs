using System.Text;
using EventMail.Projections;
using EventMail.Projections.Mailboxes;

namespace EventMail.Protocols.Tests.Imap.Model.Steps;

internal static class Appending
{
    private static string Message(ModelRun run) => $"Subject: {run.Random.Next(10)}\r\n\r\nx\r\n";

    public static async Task AppendAsync(ModelRun run, ModelSession session)
    {
        var (name, flags, message) = (run.AnyName(), run.SomeFlags(), Message(run));
        var command = $"APPEND {name} ({string.Join(' ', flags)}) {{{message.Length}+}}\r\n{message}";
        if (!run.Mailboxes.TryGetValue(name, out var mailbox))
        {
            await run.DoAsync(session, command, "NO");
            return;
        }

        var uid = 0u;
        var (answer, heard) = await run.DoAsync(session, command, apply: () => uid = mailbox.Add([ModelMessage.SetOf(flags)])[0]);
        if (answer.Code != $"APPENDUID {mailbox.UidValidity} {uid}")
            throw heard.Fault($"[{answer.Code}] for UID {uid}");
    }

    /// <summary>From outside, as SMTP does.</summary>
    public static async Task DeliverAsync(ModelRun run, ModelSession session)
    {
        var mail = run.Fixture.Mail;
        run.Dialogue.Note("*", "-", "(a message arrives in INBOX)");
        await using var incoming = IncomingMessage.Begin(mail.Log.Contents);
        await incoming.WriteAsync(Encoding.ASCII.GetBytes(Message(run)), default);
        var content = await incoming.CompleteAsync(mayExist: true, default);
        var received = await mail.Mailboxes.ReceiveAsync(
            [new(run.Account.Account, run.Account.Address, run.Account.Address)], content, "", null, QuotaRule.EveryoneFits, Actor.System, null, default);
        if (received.Rejection is { } rejection)
            throw run.Dialogue.Fault(rejection.Text);
        run.Mailboxes["INBOX"].Add([ModelMessage.SetOf([])]);
        await run.DoAsync(session, "NOOP");
    }
}
