using System.Text;
using EventMail.Protocols.Smtp.Syntax;

namespace EventMail.Protocols.Smtp.Commands;

/// <summary>MAIL FROM:&lt;reverse-path&gt; [parameters] (RFC 5321 §4.1.1.2).</summary>
internal static class Mail
{
    public static ValueTask<SmtpReply?> RunAsync(SmtpSession session) => new(Run(session));

    private static SmtpReply? Run(SmtpSession session)
    {
        var limits = session.Services.Limits;
        if (session.Transactions >= limits.MaxTransactions)
            return SmtpReplies.TooManyTransactions;
        var arguments = session.Arguments;
        if (!PathArgument.TryTake(arguments, "FROM:"u8, out var text))
            return SmtpReplies.MailSyntax;
        if (!SmtpPath.TryParse(text, out var path, out var length) || length > limits.MaxPathLength)
            return SmtpReplies.BadSenderAddress;
        if (MailParameters.Parse(text[length..], out var parameters) is { } refusal)
            return refusal;
        // RFC 6531 §3.5
        if (!path.IsAscii && !parameters.SmtpUtf8)
            return SmtpReplies.NonAsciiAddress;
        // RFC 1870 §6.1
        if (parameters.Size > limits.MaxMessageSize)
            return SmtpReplies.MessageTooLarge;
        session.BeginTransaction(path, parameters);
        return SmtpReplies.SenderOk;
    }
}
