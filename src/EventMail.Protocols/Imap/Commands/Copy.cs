using EventMail.Domain.Mailboxes;
using EventMail.Protocols.Imap.Grammar;
using EventMail.Protocols.Imap.Responses;
using EventMail.Protocols.Imap.Selected;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>COPY (RFC 3501 §6.4.7) and MOVE (RFC 6851), all or nothing, with COPYUID (RFC 4315 §3).</summary>
internal static class Copy
{
    public static async ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        var selected = session.Selected!;
        if (Parse(command, out var set, out var destination) is { } error)
            return Reply.Bad(error);
        if (!selected.TryResolve(command, set, out var uids))
            return Reply.Bad(MessageSets.Invalid);
        var move = command.Verb.Name.EndsWith("MOVE", StringComparison.Ordinal);
        if (move && selected.ReadOnly)
            return Reply.No("The mailbox is open read-only", "READ-ONLY");
        if (MessageLimit.Exceeds(session, uids.Count))
            return MessageLimit.TooMany(session);
        // RFC 5530 §3: the client named messages by number and does not yet know that they are gone.
        if (!command.ByUid && selected.Mailbox.View.Existing(uids).Count < uids.Count)
            return Reply.No("Some of the messages are gone", "EXPUNGEISSUED");

        var copied = await session.Services.Mailboxes.CopyAsync(
            selected.Mailbox, uids, destination, move, session.User!.Actor, command.Tag, session.Cancel).ConfigureAwait(false);
        if (copied.Rejection is { } rejection)
            return Reply.RefusedDestination(rejection);
        var result = copied.Value!;
        if (result.Uids.IsEmpty)
            return command.Done();
        var code = $"COPYUID {result.UidValidity} {result.SourceUids} {result.Uids}";
        if (!move)
            return command.Done(code);
        // RFC 6851 §4.3: an untagged OK, so that it comes before the EXPUNGEs.
        session.Writer.Untagged("OK"u8, code, "Moved");
        return await Expunge.DoneAsync(session, command, result.SourceUids).ConfigureAwait(false);
    }

    private static string? Parse(ImapCommand command, out SequenceSet set, out string destination)
    {
        (set, destination) = (default, "");
        var arguments = command.Arguments;
        return arguments.ExpectSp() && arguments.ExpectSequenceSet(out set) && arguments.ExpectSp()
            && arguments.ExpectMailbox(out destination) && arguments.ExpectEnd() ? null : arguments.Error;
    }
}
