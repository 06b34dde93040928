using System.Numerics;
using EventMail.Domain.Mailboxes;
using EventMail.Projections.Mailboxes;
using EventMail.Protocols.Imap.Grammar;
using EventMail.Protocols.Imap.Responses;
using EventMail.Protocols.Imap.Selected;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>RFC 3501 §6.4.6, with UNCHANGEDSINCE (RFC 7162 §3.1.3). However many messages it names, it is one event.</summary>
internal static class Store
{
    private sealed record Change(StoreMode Mode, bool Silent, List<string> Flags, long? UnchangedSince);

    public static async ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        var selected = session.Selected!;
        if (Parse(command, out var set, out var change) is { } error)
            return Reply.Bad(error);
        if (!selected.TryResolve(command, set, out var uids))
            return Reply.Bad(MessageSets.Invalid);
        if (selected.ReadOnly)
            return Reply.No("The mailbox is open read-only", "READ-ONLY");
        if (change.UnchangedSince is not null)
            session.Enable(Extensions.Condstore);
        if (uids.IsEmpty)
            return command.Done();
        uids = MessageLimit.Cut(session, uids, out var lowest);
        var stored = await session.Services.Mailboxes.StoreAsync(
            selected.Mailbox, uids, change.Mode, change.Flags, change.UnchangedSince, session.User!.Actor, command.Tag, session.Cancel).ConfigureAwait(false);
        if (stored.Rejection is { } rejection)
            return Reply.Refused(rejection);
        await TellAsync(session, uids, change, stored.Value!, command.ByUid).ConfigureAwait(false);
        var modified = stored.Value!.Modified;
        var reply = modified.IsEmpty
            ? selected.DoneWithExpunged(command)
            // RFC 7162 §3.1.3: by number or by UID, as the command named them.
            : command.Done($"MODIFIED {(command.ByUid ? modified : selected.Known.SequenceOfUids(modified))}");
        return MessageLimit.Tell(session, reply, lowest);
    }

    private static async ValueTask TellAsync(ImapSession session, UidSet uids, Change change, StoreResult stored, bool byUid)
    {
        var (writer, selected) = (session.Writer, session.Selected!);
        if (!change.Silent || IsDoneInPart(change, selected.Mailbox))
        {
            await selected.SyncAsync(writer, expunges: byUid, new(uids)).ConfigureAwait(false);
            var form = session.Has(Extensions.Condstore | Extensions.UidOnly) ? selected.Unsolicited : byUid ? FlagsForm.Uid | FlagsForm.Flags : FlagsForm.Flags;
            await FlagsResponse.WriteAsync(writer, selected, selected.Known.SequenceOfUids(uids), form).ConfigureAwait(false);
            return;
        }

        // .SILENT keeps quiet of what the client has asked for, not of what others did meanwhile.
        var mask = selected.Mailbox.View.Flags.MaskOf(change.Flags);
        var before = selected.Known.HighestModSeq;
        await selected.SyncAsync(writer, expunges: byUid, new(uids, new(change.Mode, mask))).ConfigureAwait(false);
        if (session.Has(Extensions.Condstore))
            await TellModSeqsAsync(session, uids.Except(stored.Modified), stored.Modified, change.UnchangedSince is null ? before : 0).ConfigureAwait(false);
    }

    // RFC 4314 §4: flags that one may not change stay as they are. In silence the client would take them for changed.
    private static bool IsDoneInPart(Change change, OpenMailbox mailbox)
    {
        var (allowed, mask) = (RightsText.FlagsOf(mailbox.Rights), mailbox.View.Flags.MaskOf(change.Flags));
        return allowed != ulong.MaxValue
            // A keyword that is nowhere yet is in no mask.
            && (change.Mode == StoreMode.Replace || (mask & ~allowed) != 0 || BitOperations.PopCount(mask) < change.Flags.Count);
    }

    // RFC 7162 §3.1.3, Examples 3 and 14: .SILENT hides the flags, not the MODSEQ, also where another session did the same before.
    // What failed is told with its flags (Example 10).
    private static async ValueTask TellModSeqsAsync(ImapSession session, UidSet done, UidSet modified, long changedSince)
    {
        var selected = session.Selected!;
        await FlagsResponse.WriteAsync(
            session.Writer, selected, selected.Known.SequenceChangedSince(done, changedSince), selected.Unsolicited & ~FlagsForm.Flags).ConfigureAwait(false);
        await FlagsResponse.WriteAsync(
            session.Writer, selected, selected.Known.SequenceOfUids(modified), selected.Unsolicited).ConfigureAwait(false);
    }

    // store = "STORE" SP sequence-set [SP "(" "UNCHANGEDSINCE" SP mod-sequence-valzer ")"] SP store-att-flags
    // store-att-flags = (["+" / "-"] "FLAGS" [".SILENT"]) SP (flag-list / (flag *(SP flag)))
    private static string? Parse(ImapCommand command, out SequenceSet set, out Change change)
    {
        (set, change) = (default, null!);
        var arguments = command.Arguments;
        if (!arguments.ExpectSp() || !arguments.ExpectSequenceSet(out set) || !arguments.ExpectSp()
            || !ExpectModifiers(ref arguments, out var unchangedSince))
            return arguments.Error;
        var mode = arguments.TryByte('+') ? StoreMode.Add : arguments.TryByte('-') ? StoreMode.Remove : StoreMode.Replace;
        var silent = arguments.TryWord("FLAGS.SILENT"u8);
        if (!silent && !arguments.TryWord("FLAGS"u8))
            return "Unknown STORE item";
        if (!arguments.ExpectSp() || !arguments.ExpectFlagListOrFlags(out var flags) || !arguments.ExpectEnd())
            return arguments.Error;
        change = new(mode, silent, flags, unchangedSince);
        return null;
    }

    private static bool ExpectModifiers(ref CommandParser arguments, out long? unchangedSince)
    {
        unchangedSince = null;
        if (!arguments.TryByte('('))
            return true;
        // RFC 7162 §7: only a single one.
        if (!arguments.TryWord("UNCHANGEDSINCE"u8))
            return arguments.Fail("Unknown STORE modifier");
        if (!arguments.ExpectSp() || !arguments.ExpectModSeq(out var modSeq) || !arguments.ExpectByte(')'))
            return false;
        unchangedSince = modSeq;
        return arguments.ExpectSp();
    }
}
