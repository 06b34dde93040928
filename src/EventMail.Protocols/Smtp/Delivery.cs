using System.Diagnostics;
using EventMail.Domain;
using EventMail.Projections.Accounts;
using EventMail.Protocols.Smtp.Data;

namespace EventMail.Protocols.Smtp;

/// <summary>
/// The end of a message: it is made durable for its recipients and answered, once for all (SMTP) or for each of them (LMTP,
/// RFC 2033 §4.2). Nothing is promised before the commit.
/// </summary>
internal static class Delivery
{
    public static async ValueTask<SmtpReply?> FinishAsync(SmtpSession session, SmtpTransaction transaction, MessageIntake intake)
    {
        var started = Stopwatch.GetTimestamp();
        await intake.CompleteAsync();
        var reply = session.IsLmtp
            ? await AnswerEachAsync(session, transaction, intake, started)
            : await AnswerOnceAsync(session, transaction, intake, started);
        await session.ResetAsync();
        return reply;
    }

    private static async ValueTask<SmtpReply?> AnswerOnceAsync(
        SmtpSession session, SmtpTransaction transaction, MessageIntake intake, long started)
    {
        var refusal = intake.Refusal ?? await FirstFullAsync(session, transaction.Recipients, transaction, intake)
            ?? await DeliverAsync(session, transaction, intake, transaction.UniqueLocals(), started);
        return refusal ?? Accepted(transaction);
    }

    private static async ValueTask<SmtpReply?> AnswerEachAsync(
        SmtpSession session, SmtpTransaction transaction, MessageIntake intake, long started)
    {
        var answers = new SmtpReply?[transaction.Recipients.Count];
        for (var i = 0; i < answers.Length; i++)
            answers[i] = intake.Refusal ?? await FirstFullAsync(session, [transaction.Recipients[i]], transaction, intake);

        // All that are left in one transaction; when that is refused, one by one, to find out whose fault it was.
        var open = Enumerable.Range(0, answers.Length).Where(i => answers[i] is null).ToList();
        if (open.Count > 0)
        {
            var seen = new HashSet<string>(StringComparer.Ordinal);
            var locals = open.SelectMany(i => transaction.Recipients[i].Locals).Where(local => seen.Add(local.Account)).ToList();
            var refusal = await DeliverAsync(session, transaction, intake, locals, started);
            if (refusal is null)
                open.ForEach(i => answers[i] = Accepted(transaction));
            else if (open.Count == 1 || refusal == SmtpReplies.LocalError)
                open.ForEach(i => answers[i] = refusal);
            else
                await OneByOneAsync(session, transaction, intake, answers, open, started);
        }

        foreach (var answer in answers)
            session.Send(answer!);
        return null;
    }

    private static async ValueTask OneByOneAsync(
        SmtpSession session, SmtpTransaction transaction, MessageIntake intake, SmtpReply?[] answers, List<int> open, long started)
    {
        // Two addresses of one account are one delivery with one outcome.
        var done = new Dictionary<string, SmtpReply>(StringComparer.Ordinal);
        foreach (var i in open)
        {
            foreach (var local in transaction.Recipients[i].Locals)
            {
                if (!done.TryGetValue(local.Account, out var outcome))
                {
                    outcome = await DeliverAsync(session, transaction, intake, [local], started) ?? Accepted(transaction);
                    done[local.Account] = outcome;
                }

                if (answers[i] is null or { IsPositive: true })
                    answers[i] = outcome;
            }
        }
    }

    // SIZE is a promise, and often not given: a mailbox that is too full for what really came is found out here.
    private static async ValueTask<SmtpReply?> FirstFullAsync(
        SmtpSession session, IReadOnlyList<AcceptedRecipient> recipients, SmtpTransaction transaction, MessageIntake intake)
    {
        if (intake.Size <= transaction.Parameters.Size)
            return null;
        foreach (var recipient in recipients)
        {
            var answer = await session.Services.Destination.ResolveAsync(
                recipient.Path.LocalPart, recipient.Path.Domain, intake.Size, CancellationToken.None);
            if (answer.Status == RecipientStatus.OverQuota)
                return SmtpReplies.MailboxFull;
        }

        return null;
    }

    // Null when it is durable.
    private static async ValueTask<SmtpReply?> DeliverAsync(
        SmtpSession session, SmtpTransaction transaction, MessageIntake intake, IReadOnlyList<LocalRecipient> recipients, long started)
    {
        var log = session.Services.Log;
        try
        {
            // Not to be cancelled: whether a commit under way took place could not be told.
            var rejection = await intake.Message.DeliverAsync(
                recipients, transaction.ReversePath, session.Actor, transaction.Id, CancellationToken.None);
            if (rejection is not null)
                return Reply(rejection);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            log.DeliveryFailed(e, session.ConnectionId, session.Id, session.ClientIp, transaction.Id);
            return SmtpReplies.LocalError;
        }

        session.Delivered();
        log.MessageAccepted(
            session.ConnectionId, session.Id, session.ClientIp, transaction.Id, intake.Message.MessageId, transaction.ReversePath,
            recipients.Count, intake.Size, (long)Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        return null;
    }

    private static SmtpReply Accepted(SmtpTransaction transaction) => new($"250 2.0.0 Message accepted for delivery as {transaction.Id}");

    private static SmtpReply Reply(Rejection rejection) => rejection.Kind switch
    {
        RejectionKind.OverQuota => SmtpReplies.MailboxFull,
        RejectionKind.Suspended => SmtpReplies.SuspendedRecipient,
        RejectionKind.NonExistent => SmtpReplies.UnknownRecipient,
        _ => SmtpReplies.LocalError,
    };
}
