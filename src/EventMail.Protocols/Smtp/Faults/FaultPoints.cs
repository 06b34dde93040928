using EventMail.Protocols.Smtp.Syntax;

namespace EventMail.Protocols.Smtp.Faults;

/// <summary>What a fault does to a command.</summary>
/// <param name="Reply">Null: the connection is gone.</param>
internal readonly record struct FaultOutcome(SmtpReply? Reply);

/// <summary>The moments of a dialogue in which faults on demand strike; null: nothing happens.</summary>
internal static class FaultPoints
{
    public static ValueTask<FaultOutcome?> AtConnectAsync(SmtpSession session) =>
        session.Services.Faults is { } faults ? StrikeAsync(session, faults, FaultStage.Connect, null, null, []) : default;

    public static ValueTask<FaultOutcome?> AtMailAsync(SmtpSession session, SmtpPath sender) =>
        session.Services.Faults is { } faults ? StrikeAsync(session, faults, FaultStage.Mail, session.Account?.Address, sender.Mailbox, []) : default;

    public static ValueTask<FaultOutcome?> AtRcptAsync(SmtpSession session, SmtpPath recipient) => session.Services.Faults is { } faults
        ? StrikeAsync(session, faults, FaultStage.Rcpt, session.Account?.Address, session.Transaction!.ReversePath, [recipient.Mailbox])
        : default;

    public static ValueTask<FaultOutcome?> AtDataAsync(SmtpSession session, SmtpTransaction transaction) => session.Services.Faults is { } faults
        ? StrikeAsync(
            session, faults, FaultStage.Data, session.Account?.Address, transaction.ReversePath, [.. transaction.Recipients.Select(one => one.Address)])
        : default;

    /// <param name="user">Who is about to be let in.</param>
    public static ValueTask<FaultOutcome?> AtAuthAsync(SmtpSession session, string user) =>
        session.Services.Faults is { } faults ? StrikeAsync(session, faults, FaultStage.Auth, user, null, []) : default;

    private static async ValueTask<FaultOutcome?> StrikeAsync(
        SmtpSession session, FaultTable faults, FaultStage stage, string? user, string? sender, IReadOnlyList<string> recipients)
    {
        if (faults.Strike(stage, user, sender, recipients) is not { } rule)
            return null;
        session.Services.Log.FaultStruck(session.ConnectionId, session.Id, session.ClientIp, rule.Id, stage.ToString());
        if (rule.Delay > TimeSpan.Zero)
            await Task.Delay(rule.Delay, session.Services.Clock, session.Stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // a server that stops does not wait
        if (rule.Drop)
        {
            session.End();
            session.Connection.Abort();
            return new(null);
        }
        return rule.Reply is { } reply ? new(reply) : null;
    }
}
