using System.Text;
using EventMail.Domain.Mailboxes;
using EventMail.Protocols.Imap.Grammar;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>RFC 4314 §3.4: no right is tied to another; the owner has all of them whatever the list says.</summary>
internal static class ListRights
{
    public static async ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        if (Parse(command, out var name, out var identifier) is { } error)
            return Reply.Bad(error);
        var (isOwner, rejection) = await session.Services.Mailboxes.Access.IsOwnerAsync(
            session.User!.Id, name, identifier, session.Cancel).ConfigureAwait(false);
        if (rejection is not null)
            return Reply.Refused(rejection);
        // listrights-data = "LISTRIGHTS" SP mailbox SP identifier SP rights *(SP rights); the identifier as the client wrote it
        var writer = session.Writer;
        writer.Raw("* LISTRIGHTS "u8);
        writer.Mailbox(MailboxName.Canonical(name));
        writer.Sp();
        writer.String(Encoding.UTF8.GetBytes(identifier));
        writer.Sp();
        var all = RightsText.WithOldRights(Rights.All);
        writer.Ascii(isOwner ? all : "\"\" " + string.Join(' ', all.AsEnumerable()));
        writer.Crlf();
        return command.Done();
    }

    private static string? Parse(ImapCommand command, out string name, out string identifier)
    {
        (name, identifier) = ("", "");
        var arguments = command.Arguments;
        return arguments.ExpectSp() && arguments.ExpectMailbox(out name) && arguments.ExpectSp()
            && arguments.ExpectIdentifier(out identifier) && arguments.ExpectEnd() ? null : arguments.Error;
    }
}
