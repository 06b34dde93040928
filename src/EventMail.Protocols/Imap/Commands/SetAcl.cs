using EventMail.Domain.Mailboxes;
using EventMail.Protocols.Imap.Grammar;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>SETACL (RFC 4314 §3.1) and DELETEACL (§3.2).</summary>
internal static class SetAcl
{
    private sealed record Change(string Mailbox, string Identifier, RightsMode Mode, Rights Rights);

    public static async ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        if (Parse(command, out var change) is { } error)
            return Reply.Bad(error);
        var done = await session.Services.Mailboxes.Access.SetAsync(
            session.User!.Id, change.Mailbox, change.Identifier, change.Mode, change.Rights, session.User.Actor, command.Tag,
            session.Cancel).ConfigureAwait(false);
        return done.Rejection is { } rejection ? Reply.Refused(rejection) : command.Done();
    }

    // setacl = "SETACL" SP mailbox SP identifier SP mod-rights; deleteacl = "DELETEACL" SP mailbox SP identifier
    private static string? Parse(ImapCommand command, out Change change)
    {
        change = null!;
        var arguments = command.Arguments;
        if (!arguments.ExpectSp() || !arguments.ExpectMailbox(out var mailbox) || !arguments.ExpectSp()
            || !arguments.ExpectIdentifier(out var identifier))
            return arguments.Error;
        var (mode, rights) = (RightsMode.Replace, Rights.None);
        if (command.Verb.Name == "SETACL" && (!arguments.ExpectSp() || !arguments.ExpectModRights(out mode, out rights)))
            return arguments.Error;
        change = new(mailbox, identifier, mode, rights);
        return arguments.ExpectEnd() ? null : arguments.Error;
    }
}
