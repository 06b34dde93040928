using EventMail.Domain;
using EventMail.Domain.Mailboxes;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>CLOSE (RFC 3501 §6.4.2) expunges without a word; UNSELECT (RFC 3691) does not.</summary>
internal static class Close
{
    public static async ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        if (Parse(command) is { } error)
            return Reply.Bad(error);
        var selected = session.Selected!;
        // §6.4.2: "No messages are removed, and no error is given, if the mailbox is selected by an EXAMINE command".
        // RFC 4314 §4: nor is there one if one may not expunge.
        if (command.Verb.Name == "CLOSE" && !selected.ReadOnly && (selected.Mailbox.Rights & Rights.Expunge) != 0 && !selected.Mailbox.Deleted)
        {
            var expunged = await session.Services.Mailboxes.ExpungeAsync(
                selected.Mailbox, only: null, session.User!.Actor, command.Tag, session.Cancel).ConfigureAwait(false);
            if (expunged.Rejection is { Kind: not RejectionKind.NoPermission } rejection)
                return Reply.Refused(rejection);
        }

        session.Deselect();
        return command.Done();
    }

    private static string? Parse(ImapCommand command)
    {
        var arguments = command.Arguments;
        return arguments.ExpectEnd() ? null : arguments.Error;
    }
}
