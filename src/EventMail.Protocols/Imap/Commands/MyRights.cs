using EventMail.Domain.Mailboxes;
using EventMail.Protocols.Imap.Grammar;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>RFC 4314 §3.5.</summary>
internal static class MyRights
{
    public static async ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        if (Parse(command, out var name) is { } error)
            return Reply.Bad(error);
        var (rights, rejection) = await session.Services.Mailboxes.Access.OfAsync(session.User!.Id, name, session.Cancel).ConfigureAwait(false);
        if (rejection is not null)
            return Reply.Refused(rejection);
        Write(session.Writer, MailboxName.Canonical(name), rights);
        return command.Done();
    }

    // myrights-data = "MYRIGHTS" SP mailbox SP rights
    public static void Write(ImapWriter writer, string mailbox, Rights rights)
    {
        writer.Raw("* MYRIGHTS "u8);
        writer.Mailbox(mailbox);
        writer.Sp();
        writer.Ascii(RightsText.WithOldRights(rights));
        writer.Crlf();
    }

    private static string? Parse(ImapCommand command, out string name)
    {
        name = "";
        var arguments = command.Arguments;
        return arguments.ExpectSp() && arguments.ExpectMailbox(out name) && arguments.ExpectEnd() ? null : arguments.Error;
    }
}
