using EventMail.Protocols.Imap.Listing;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>RFC 3501 §6.3.10: from the mailbox's header, whatever its size.</summary>
internal static class Status
{
    public static async ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        if (Parse(command, out var name, out var request) is { } error)
            return Reply.Bad(error);
        var (mailbox, rejection) = await session.Services.Mailboxes.FindAsync(session.User!.Id, name, session.Cancel).ConfigureAwait(false);
        if (rejection is not null)
            return Reply.Refused(rejection);
        if (!mailbox!.Selectable)
            return Reply.No("That is no mailbox, only a level above some", "NONEXISTENT");
        request.Enable(session);
        await request.WriteAsync(session, mailbox).ConfigureAwait(false);
        // RFC 3501 §6.3.10: it SHOULD NOT be used so; RFC 5530 §3 has this very example.
        return command.Done(session.Selected?.Mailbox.Key.Id == mailbox.Id ? "CLIENTBUG" : null);
    }

    // status = "STATUS" SP mailbox SP "(" status-att *(SP status-att) ")"
    private static string? Parse(ImapCommand command, out string name, out StatusRequest request)
    {
        request = null!;
        name = "";
        var arguments = command.Arguments;
        return arguments.ExpectSp() && arguments.ExpectMailbox(out name) && arguments.ExpectSp()
            && StatusRequest.Expect(ref arguments, out request) && arguments.ExpectEnd() ? null : arguments.Error;
    }
}
