using EventMail.Projections.Accounts;
using EventMail.Protocols.Smtp.Faults;
using EventMail.Protocols.Smtp.Submission;
using EventMail.Protocols.Smtp.Syntax;

namespace EventMail.Protocols.Smtp.Commands;

/// <summary>RCPT TO:&lt;forward-path&gt; [parameters] (RFC 5321 §4.1.1.3). Mail for others is taken from our users only: strangers may not relay.</summary>
internal static class Rcpt
{
    public static async ValueTask<SmtpReply?> RunAsync(SmtpSession session)
    {
        var transaction = session.Transaction!;
        transaction.RecipientSeen = true;
        if (Parse(session, transaction, out var path, out var parameters) is { } refusal)
            return refusal;
        if (await FaultPoints.AtRcptAsync(session, path) is { } fault)
            return fault.Reply;

        var answer = await session.Services.Destination.ResolveAsync(
            path.LocalPart, LocalDomain(session, path), transaction.Parameters.Size, CancellationToken.None);
        switch (answer.Status)
        {
            case RecipientStatus.Local:
                return await AddAsync(session, new(path, answer.Recipients) { Parameters = parameters });
            case RecipientStatus.Suspended:
                return SmtpReplies.SuspendedRecipient;
            case RecipientStatus.OverQuota:
                return SmtpReplies.MailboxFull;
            case RecipientStatus.NotLocalDomain when session.Account is null:
                return SmtpReplies.NoRelay;
            case RecipientStatus.NotLocalDomain:
                return RemoteDomain.Check(path.Domain, out var domain) ?? await RefuseToWaitAsync(session)
                    ?? await AddAsync(session, new(path, []) { Parameters = parameters, RemoteDomain = domain });
            default:
                return ++session.UnknownRecipients > session.Services.Limits.MaxUnknownRecipients
                    ? SmtpReplies.TooManyUnknown
                    : SmtpReplies.UnknownRecipient;
        }
    }

    private static async ValueTask<SmtpReply> AddAsync(SmtpSession session, AcceptedRecipient recipient)
    {
        var transaction = session.Transaction!;
        if (session is { Role.NeedsLogin: true, Account: { } account, Services.Submission: { } submission }
            && !submission.Rates.TryRecipient(account.Account, session.Connection.Details.ClientAddress))
            return SmtpReplies.TooManyRecipientsPerHour;
        if (await session.Services.Destination.AdmitAsync(session.Envelope(transaction), recipient, CancellationToken.None) is { } refusal)
            return refusal;
        transaction.Recipients.Add(recipient);
        session.Connection.Facts.AddRecipient(recipient.Address);
        return SmtpReplies.RecipientOk;
    }

    // RFC 5321 §4.5.3.1.10, RFC 1870 §6.1: where it is known before, the message is not sent first.
    private static async ValueTask<SmtpReply?> RefuseToWaitAsync(SmtpSession session) =>
        session is { Role.NeedsLogin: true, Account: { } account, Services.Destination: SubmissionDestination destination, Transaction: { } transaction }
        && await destination.Deliveries.HasTooMuchWaitingAsync(account.Account, transaction.Parameters.Size, CancellationToken.None)
            ? SmtpReplies.TooMuchWaiting
            : null;

    private static SmtpReply? Parse(SmtpSession session, SmtpTransaction transaction, out SmtpPath path, out RcptParameters parameters)
    {
        (path, parameters) = (SmtpPath.Null, new());
        if (!PathArgument.TryTake(session.Arguments, "TO:"u8, out var text))
            return SmtpReplies.RcptSyntax;
        var limits = session.Services.Limits;
        if (!session.Role.TryParsePath(text, out path, out var length) || length > limits.MaxPathLength || path.IsNull)
            return SmtpReplies.BadRecipientAddress;
        if (RcptParameters.Parse(text[length..], session, out parameters) is { } refusal)
            return refusal;
        if (!path.IsAscii && !transaction.Parameters.SmtpUtf8)
            return SmtpReplies.NonAsciiAddress;
        return transaction.Recipients.Count >= limits.MaxRecipients ? SmtpReplies.TooManyRecipients : null;
    }

    // RFC 5321 §4.5.1: postmaster is always reached, also by this host's own address.
    private static string LocalDomain(SmtpSession session, SmtpPath path) =>
        path.LocalPart.Equals("postmaster", StringComparison.OrdinalIgnoreCase)
        && path.Domain.StartsWith('[')
        && SmtpChars.TryAddressLiteral(path.Domain.AsSpan(1, path.Domain.Length - 2), out var address)
        && address.Equals(session.Connection.Details.LocalAddress)
            ? ""
            : path.Domain;
}
