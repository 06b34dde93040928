using EventMail.Domain.Mailboxes;
using EventMail.Protocols.Imap.Grammar;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>EXPUNGE (RFC 3501 §6.4.3) and UID EXPUNGE (RFC 4315 §2.1). What went is told before the reply.</summary>
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
        // RFC 9738: EXPUNGE has no limit, which could not be kept by naming fewer messages.
        if (only is not null && MessageLimit.Exceeds(session, only.Count)
            && MessageLimit.Exceeds(session, selected.Mailbox.View.UidsWhere(SystemFlags.Deleted, clear: 0).Intersect(only).Count))
            return MessageLimit.TooMany(session);
        var expunged = await session.Services.Mailboxes.ExpungeAsync(
            selected.Mailbox, only, session.User!.Actor, command.Tag, session.Cancel).ConfigureAwait(false);
        return expunged.Rejection is { } rejection
            ? Reply.Refused(rejection)
            : await DoneAsync(session, command, expunged.Value!).ConfigureAwait(false);
    }

    /// <summary>
    /// What the client takes away it hears of, whatever it wants to be notified of (RFC 5465). RFC 7162 §3.2.7, RFC 6851 §4.4: with
    /// HIGHESTMODSEQ when something went, once everything up to it has been told.
    /// </summary>
    public static async ValueTask<Reply> DoneAsync(ImapSession session, ImapCommand command, UidSet gone)
    {
        var selected = session.Selected!;
        if (!gone.IsEmpty && selected.StaysAsItWas)
            await selected.TellExpungedAsync(session.Writer, gone).ConfigureAwait(false);
        if (gone.IsEmpty || !session.Has(Extensions.Qresync))
            return command.Done();
        return await session.SyncAsync(Sync.Everything).ConfigureAwait(false)
            ? command.Done($"HIGHESTMODSEQ {selected.HighestModSeq}")
            : Reply.Close;
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
