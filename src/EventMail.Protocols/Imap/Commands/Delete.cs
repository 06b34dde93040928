using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>RFC 3501 §6.3.4.</summary>
internal static class Delete
{
    public static async ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        if (Parse(command, out var name) is { } error)
            return Reply.Bad(error);
        var deleted = await session.Services.Mailboxes.DeleteAsync(
            session.User!.Id, name, session.User.Actor, command.Tag, session.Cancel).ConfigureAwait(false);
        if (deleted.Rejection is { } rejection)
            return Reply.Refused(rejection);
        // The session that deletes its own mailbox knows what it does: it is left, where others are told BYE.
        if (session.Selected is { Mailbox.Deleted: true })
            session.Deselect();
        return command.Done();
    }

    private static string? Parse(ImapCommand command, out string name)
    {
        name = "";
        var arguments = command.Arguments;
        return arguments.ExpectSp() && arguments.ExpectMailbox(out name) && arguments.ExpectEnd() ? null : arguments.Error;
    }
}
