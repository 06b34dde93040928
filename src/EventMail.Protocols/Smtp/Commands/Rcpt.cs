using EventMail.Projections.Accounts;
using EventMail.Protocols.Smtp.Syntax;

namespace EventMail.Protocols.Smtp.Commands;

/// <summary>RCPT TO:&lt;forward-path&gt; (RFC 5321 §4.1.1.3). Mail for others is not taken: strangers may not relay.</summary>
internal static class Rcpt
{
    public static async ValueTask<SmtpReply?> RunAsync(SmtpSession session)
    {
        var transaction = session.Transaction!;
        transaction.RecipientSeen = true;
        if (Parse(session, transaction, out var path) is { } refusal)
            return refusal;

        var answer = await session.Services.Destination.ResolveAsync(
            path.LocalPart, LocalDomain(session, path), transaction.Parameters.Size, CancellationToken.None);
        switch (answer.Status)
        {
            case RecipientStatus.Local:
                transaction.Recipients.Add(new(path, answer.Recipients));
                return SmtpReplies.RecipientOk;
            case RecipientStatus.Suspended:
                return SmtpReplies.SuspendedRecipient;
            case RecipientStatus.OverQuota:
                return SmtpReplies.MailboxFull;
            case RecipientStatus.NotLocalDomain:
                return SmtpReplies.NoRelay;
            default:
                return ++session.UnknownRecipients > session.Services.Limits.MaxUnknownRecipients
                    ? SmtpReplies.TooManyUnknown
                    : SmtpReplies.UnknownRecipient;
        }
    }

    private static SmtpReply? Parse(SmtpSession session, SmtpTransaction transaction, out SmtpPath path)
    {
        path = SmtpPath.Null;
        if (!PathArgument.TryTake(session.Arguments, "TO:"u8, out var text))
            return SmtpReplies.RcptSyntax;
        var limits = session.Services.Limits;
        if (!SmtpPath.TryParse(text, out path, out var length) || length > limits.MaxPathLength || path.IsNull)
            return SmtpReplies.BadRecipientAddress;
        // No extension with parameters of RCPT (DSN, RFC 3461) is offered.
        var parameters = new EsmtpParameters(text[length..]);
        if (parameters.Next())
            return SmtpReplies.UnknownParameter;
        if (parameters.Malformed)
            return SmtpReplies.RcptSyntax;
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
