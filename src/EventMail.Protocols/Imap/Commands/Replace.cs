using EventMail.Domain.Mailboxes;
using EventMail.Projections.Mailboxes;
using EventMail.Protocols.Imap.Appending;
using EventMail.Protocols.Imap.Grammar;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>REPLACE and UID REPLACE (RFC 8508): one message comes, another goes, in one transaction.</summary>
internal static class Replace
{
    public static async ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        if (Find(session, command, out var uid, out var at) is { } wrong)
            return await session.SkipLiteralsAsync().ConfigureAwait(false) ? wrong : Reply.Close;
        using var intake = new MessageIntake(session, command, several: false);
        if (await intake.TakeAsync(at).ConfigureAwait(false) is { } refused)
            return refused;
        var replaced = await session.Services.Mailboxes.ReplaceAsync(
            session.Selected!.Mailbox, uid, intake.Target, intake.Messages[0], session.User!.Actor, command.Tag, session.Cancel).ConfigureAwait(false);
        if (replaced.Rejection is { } rejection)
            return Reply.RefusedDestination(rejection);
        intake.Log();
        // §4.3: ahead of the EXPUNGE.
        session.Writer.Untagged("OK"u8, $"APPENDUID {replaced.Value.UidValidity} {replaced.Value.Uid}", "Replacement message ready");
        return await Expunge.DoneAsync(session, command, UidSet.Of(uid)).ConfigureAwait(false);
    }

    // replace = "REPLACE" SP seq-number SP mailbox append-message
    private static Reply? Find(ImapSession session, ImapCommand command, out uint uid, out int at)
    {
        (uid, at) = (0, 0);
        var selected = session.Selected!;
        var arguments = command.Arguments;
        if (!arguments.ExpectSp() || !arguments.ExpectSequenceSet(out var set))
            return Reply.Bad(arguments.Error!);
        if (set.Ranges is not [var (from, to)] || from != to)
            return Reply.Bad("Expected one message");
        at = command.ArgumentsAt + arguments.Position;
        if (!Selected.MessageSets.TryResolve(selected, command, set, out var uids))
            return Reply.Bad(Selected.MessageSets.Invalid);
        if (selected.ReadOnly)
            return Reply.No("The mailbox is open read-only", "READ-ONLY");
        if (uids.IsEmpty)
            return Reply.No("No such message", "NONEXISTENT");
        uid = uids.First;
        // RFC 5530 §3: the client does not know yet that it is gone.
        return selected.Mailbox.View.IndexOf(uid) < 0 ? Reply.No("The message is gone", "EXPUNGEISSUED") : null;
    }
}
