using System.Diagnostics;
using EventMail.Domain;
using EventMail.Domain.Deliveries;
using EventMail.EventStore;
using EventMail.Projections.Accounts;
using EventMail.Projections.Mailboxes;
using EventMail.Protocols.Smtp.Data;
using EventMail.Protocols.Smtp.Faults;
using EventMail.Protocols.Wire;

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
        // A message may take hours to come.
        if (session is { Role.NeedsLogin: true, Account: { } account, Services.Submission: { } submission }
            && await submission.VoidAsync(account, CancellationToken.None) is { } disabled)
            intake.Refuse(disabled);
        await intake.CompleteAsync();
        if (await FaultPoints.AtDataAsync(session, transaction) is { } fault)
        {
            if (fault.Reply is not { } refusal)
                return null;
            intake.Refuse(refusal);
        }
        var reply = session.Role.AnswersEachRecipient
            ? await AnswerEachAsync(session, transaction, intake, started)
            : await AnswerOnceAsync(session, transaction, intake, started);
        await session.ResetAsync();
        return reply;
    }

    private static async ValueTask<SmtpReply?> AnswerOnceAsync(
        SmtpSession session, SmtpTransaction transaction, MessageIntake intake, long started)
    {
        var refusal = intake.Refusal
            ?? await DeliverAsync(session, transaction, intake, transaction.UniqueLocals(), QuotaRule.SomeoneFits, started);
        return refusal ?? Accepted(transaction, intake.Message.LoweredPriority);
    }

    private static async ValueTask<SmtpReply?> AnswerEachAsync(
        SmtpSession session, SmtpTransaction transaction, MessageIntake intake, long started)
    {
        // All of them in one transaction; when that is refused, one by one, to find out whose fault it was.
        var refusal = intake.Refusal
            ?? await DeliverAsync(session, transaction, intake, transaction.UniqueLocals(), QuotaRule.EveryoneFits, started);
        if (refusal is null || refusal == intake.Refusal || refusal == SmtpReplies.LocalError || transaction.Recipients is [{ Locals: [_] }])
        {
            foreach (var _ in transaction.Recipients)
                session.Send(refusal ?? Accepted(transaction));
        }
        else
        {
            await OneByOneAsync(session, transaction, intake, started);
        }
        return null;
    }

    private static async ValueTask OneByOneAsync(SmtpSession session, SmtpTransaction transaction, MessageIntake intake, long started)
    {
        // Two addresses of one account are one delivery.
        var delivered = new HashSet<string>(StringComparer.Ordinal);
        foreach (var recipient in transaction.Recipients)
        {
            var locals = recipient.Locals.Where(local => !delivered.Contains(local.Account)).ToList();
            var refusal = locals.Count == 0
                ? null
                : await DeliverAsync(session, transaction, intake, locals, QuotaRule.SomeoneFits, started);
            if (refusal is null)
                delivered.UnionWith(locals.Select(local => local.Account));
            session.Send(refusal ?? Accepted(transaction));
        }
    }

    // Null when it is durable.
    private static async ValueTask<SmtpReply?> DeliverAsync(
        SmtpSession session, SmtpTransaction transaction, MessageIntake intake, IReadOnlyList<LocalRecipient> recipients,
        QuotaRule rule, long started)
    {
        var log = session.Services.Log;
        try
        {
            // Not to be cancelled: whether a commit under way took place could not be told.
            var rejection = await intake.Message.DeliverAsync(
                recipients, rule, transaction.ReversePath, session.Actor, transaction.Id, CancellationToken.None);
            if (rejection is not null)
                return Reply(rejection);
        }
        catch (TenantReadOnlyException)
        {
            return SmtpReplies.AccountMoving;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            log.DeliveryFailed(e, session.ConnectionId, session.Id, session.ClientIp, transaction.Id);
            return FullDisk.IsTold(e) ? SmtpReplies.NoStorage : SmtpReplies.LocalError;
        }

        session.Delivered();
        log.MessageAccepted(
            session.ConnectionId, session.Id, session.ClientIp, transaction.Id, intake.Message.MessageId, transaction.ReversePath,
            session.Role.NeedsLogin ? transaction.Recipients.Count : recipients.Count, intake.Size, (long)Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        return null;
    }

    // RFC 6710 §4.1: the text has the new priority and a blank in front.
    private static SmtpReply Accepted(SmtpTransaction transaction, int? priority = null) => new(priority is null
        ? $"250 2.0.0 Message accepted for delivery as {transaction.Id}"
        : string.Create(null, $"250 2.3.6 {priority} is the new priority of the message; accepted for delivery as {transaction.Id}"));

    private static SmtpReply Reply(Rejection rejection) => rejection.Kind switch
    {
        _ when rejection == DeliveryRejections.TooMuchWaiting => SmtpReplies.TooMuchWaiting,
        _ when rejection == DeliveryRejections.Suspended => SmtpReplies.AccountDisabledMeanwhile,
        RejectionKind.OverQuota => SmtpReplies.MailboxFull,
        RejectionKind.Damaged => SmtpReplies.MailboxDamaged,
        RejectionKind.TryAgain => SmtpReplies.MailboxFullMeanwhile,
        RejectionKind.Suspended => SmtpReplies.SuspendedRecipient,
        RejectionKind.NonExistent => SmtpReplies.UnknownRecipient,
        _ => SmtpReplies.LocalError,
    };
}
