using EventMail.Domain.Mailboxes;
using EventMail.Protocols.Imap.Grammar;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>EXPUNGE (RFC 3501 §6.4.3) and UID EXPUNGE (RFC 4315 §2.1). What went is told by the synchronisation behind it.</summary>
internal static class Expunge
{
    public static async ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        if (Parse(command, out var set) is { } error)
            return Reply.Bad(error);
        var selected = session.Selected!;
        if (selected.ReadOnly)
            return Reply.No("The mailbox is open read-only", "CANNOT");
        UidSet? only = command.ByUid ? selected.ResolveUids(set) : null;
        var expunged = await session.Services.Mailboxes.ExpungeAsync(
            selected.Mailbox, only, session.User!.Actor, command.Tag, session.Cancel).ConfigureAwait(false);
        return expunged.Rejection is { } rejection ? Reply.Refused(rejection) : command.Done();
    }

    private static string? Parse(ImapCommand command, out SequenceSet set)
    {
        set = default;
        var arguments = command.Arguments;
        if (command.ByUid && (!arguments.ExpectSp() || !arguments.ExpectSequenceSet(out set)))
            return arguments.Error;
        return arguments.ExpectEnd() ? null : arguments.Error;
    }
}
