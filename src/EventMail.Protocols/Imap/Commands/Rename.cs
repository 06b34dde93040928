using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>RFC 3501 §6.3.5.</summary>
internal static class Rename
{
    public static async ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        if (Parse(command, out var from, out var to) is { } error)
            return Reply.Bad(error);
        var renamed = await session.Services.Mailboxes.RenameAsync(
            session.User!.Id, from, to, session.User.Actor, command.Tag, session.Cancel).ConfigureAwait(false);
        return renamed.Rejection is { } rejection ? Reply.Refused(rejection) : command.Done();
    }

    private static string? Parse(ImapCommand command, out string from, out string to)
    {
        from = to = "";
        var arguments = command.Arguments;
        return arguments.ExpectSp() && arguments.ExpectMailbox(out from) && arguments.ExpectSp() && arguments.ExpectMailbox(out to)
            && arguments.ExpectEnd() ? null : arguments.Error;
    }
}
