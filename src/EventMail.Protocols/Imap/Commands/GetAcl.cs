using System.Text;
using EventMail.Domain.Mailboxes;
using EventMail.Protocols.Imap.Grammar;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>RFC 4314 §3.3.</summary>
internal static class GetAcl
{
    public static async ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        if (Parse(command, out var name) is { } error)
            return Reply.Bad(error);
        var (entries, rejection) = await session.Services.Mailboxes.Access.ListAsync(session.User!.Id, name, session.Cancel).ConfigureAwait(false);
        if (rejection is not null)
            return Reply.Refused(rejection);
        // acl-data = "ACL" SP mailbox *(SP identifier SP rights)
        var writer = session.Writer;
        writer.Raw("* ACL "u8);
        writer.Mailbox(MailboxName.Canonical(name));
        foreach (var (identifier, rights) in entries!)
        {
            writer.Sp();
            writer.String(Encoding.UTF8.GetBytes(identifier));
            writer.Sp();
            writer.Ascii(RightsText.WithOldRights(rights));
        }

        writer.Crlf();
        return command.Done();
    }

    private static string? Parse(ImapCommand command, out string name)
    {
        name = "";
        var arguments = command.Arguments;
        return arguments.ExpectSp() && arguments.ExpectMailbox(out name) && arguments.ExpectEnd() ? null : arguments.Error;
    }
}
