using EventMail.Protocols.Imap.Appending;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>
/// RFC 3501 §6.3.11, UIDPLUS (RFC 4315 §3), MULTIAPPEND (RFC 3502), BINARY (RFC 3516 §4.4), CATENATE (RFC 4469), UTF8 (RFC 6855 §4).
/// </summary>
internal static class Append
{
    public static async ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        using var intake = new MessageIntake(session, command, several: true);
        if (await intake.TakeAsync(command.ArgumentsAt).ConfigureAwait(false) is { } refused)
            return refused;
        var outcome = CommitAsync(session, command, intake);
        // Whoever has sent more does not wait for this reply: the next message joins this one's commit. It cannot pass this one, which
        // may have to wait for what its quota is read from: commands of a session keep their order.
        if (outcome.IsCompleted || !session.Connection.HasBufferedInput)
            return await outcome.ConfigureAwait(false);

        return await session.Pending.AddAsync(command, outcome, intake.Size).ConfigureAwait(false) ? Reply.Pending : Reply.Close;
    }

    // Queued before it returns, so that UIDs follow the order of the commands. Never fails: the session may have gone on meanwhile.
    private static async Task<Reply> CommitAsync(ImapSession session, ImapCommand command, MessageIntake intake)
    {
        try
        {
            var appended = await session.Services.Mailboxes.AppendAsync(
                intake.Target, intake.Messages, session.User!.Actor, command.Tag, session.Cancel).ConfigureAwait(false);
            if (appended.Rejection is { } rejection)
                return Reply.RefusedDestination(rejection);
            intake.Log();
            var (first, last) = (appended.Value.Uid, appended.Value.Uid + (uint)(intake.Messages.Count - 1));
            return command.Done($"APPENDUID {appended.Value.UidValidity} {(first == last ? $"{first}" : $"{first}:{last}")}");
        }
        catch (Exception error)
        {
            return session.Failed(error, command.Verb.Name);
        }
    }
}
