using EventMail.Protocols.Smtp.Faults;
using EventMail.Protocols.Smtp.Syntax;

namespace EventMail.Protocols.Smtp.Commands;

/// <summary>MAIL FROM:&lt;reverse-path&gt; [parameters] (RFC 5321 §4.1.1.2).</summary>
internal static class Mail
{
    public static async ValueTask<SmtpReply?> RunAsync(SmtpSession session)
    {
        if (Parse(session, out var path, out var parameters) is { } refusal)
            return refusal;
        if (await FaultPoints.AtMailAsync(session, path) is { } fault)
            return fault.Reply;
        if (session is { Role.NeedsLogin: true, Account: { } account, Services.Submission: { } submission })
        {
            if (await submission.VoidAsync(account, CancellationToken.None) is { } disabled)
                return disabled;
            // The null sender is a notification of the client's (an MDN); its message's From is checked all the same.
            if (!path.IsNull && !await submission.Senders.AllowAsync(account.Account, path.LocalPart, path.Domain, CancellationToken.None))
                return SmtpReplies.NotYourAddress;
            if (!submission.Rates.TryMessage(account.Account, session.Connection.Details.ClientAddress))
                return SmtpReplies.TooManyMessages;
        }

        session.BeginTransaction(path, parameters);
        // RFC 6710 §4.1: the client is told of a priority that is not the one it asked for.
        return parameters.Priority > session.Services.Limits.MaxPriority
            ? new SmtpReply(string.Create(null, $"250 2.3.6 {session.Services.Limits.MaxPriority} is the new priority of the message"))
            : SmtpReplies.SenderOk;
    }

    private static SmtpReply? Parse(SmtpSession session, out SmtpPath path, out MailParameters parameters)
    {
        (path, parameters) = (SmtpPath.Null, new());
        var limits = session.Services.Limits;
        if (session.Transactions >= limits.MaxTransactions)
            return SmtpReplies.TooManyTransactions;
        var arguments = session.Arguments;
        if (!PathArgument.TryTake(arguments, "FROM:"u8, out var text))
            return SmtpReplies.MailSyntax;
        if (!session.Role.TryParsePath(text, out path, out var length) || length > limits.MaxPathLength)
            return SmtpReplies.BadSenderAddress;
        if (MailParameters.Parse(text[length..], session, out parameters) is { } refusal)
            return refusal;
        // RFC 6531 §3.5
        if (!path.IsAscii && !parameters.SmtpUtf8)
            return SmtpReplies.NonAsciiAddress;
        // RFC 1870 §6.1
        return parameters.Size > limits.MaxMessageSize ? SmtpReplies.MessageTooLarge : null;
    }
}
