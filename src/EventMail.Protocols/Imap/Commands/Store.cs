using EventMail.Domain.Mailboxes;
using EventMail.Protocols.Imap.Grammar;
using EventMail.Protocols.Imap.Responses;
using EventMail.Protocols.Imap.Selected;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>RFC 3501 §6.4.6. However many messages it names, it is one event.</summary>
internal static class Store
{
    private sealed record Change(StoreMode Mode, bool Silent, List<string> Flags);

    public static async ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        var selected = session.Selected!;
        if (Parse(command, out var set, out var change) is { } error)
            return Reply.Bad(error);
        if (!selected.TryResolve(command, set, out var uids))
            return Reply.Bad(MessageSets.Invalid);
        if (selected.ReadOnly)
            return Reply.No("The mailbox is open read-only", "READ-ONLY");
        if (uids.IsEmpty)
            return command.Done();
        var stored = await session.Services.Mailboxes.StoreAsync(
            selected.Mailbox, uids, change.Mode, change.Flags, null, session.User!.Actor, command.Tag, session.Cancel).ConfigureAwait(false);
        if (stored.Rejection is { } rejection)
            return Reply.Refused(rejection);
        await TellAsync(session.Writer, selected, uids, change, command.ByUid).ConfigureAwait(false);
        return selected.DoneWithExpunged(command);
    }

    private static async ValueTask TellAsync(ImapWriter writer, SelectedMailbox selected, UidSet uids, Change change, bool byUid)
    {
        if (change.Silent)
        {
            // .SILENT keeps quiet of what the client has asked for, not of what others did meanwhile.
            var mask = selected.Mailbox.View.Flags.MaskOf(change.Flags);
            await selected.SyncAsync(
                writer, expunges: byUid, (old, now) => now.Flags == Apply(change.Mode, old.Flags, mask) && uids.Contains(now.Uid)).ConfigureAwait(false);
            return;
        }

        await selected.SyncAsync(writer, expunges: byUid, (_, now) => uids.Contains(now.Uid)).ConfigureAwait(false);
        await FlagsResponse.WriteAsync(writer, selected, selected.Known.SequenceOfUids(uids), byUid).ConfigureAwait(false);
    }

    private static ulong Apply(StoreMode mode, ulong flags, ulong mask) => mode switch
    {
        StoreMode.Add => flags | mask,
        StoreMode.Remove => flags & ~mask,
        _ => mask,
    };

    // store = "STORE" SP sequence-set SP store-att-flags
    // store-att-flags = (["+" / "-"] "FLAGS" [".SILENT"]) SP (flag-list / (flag *(SP flag)))
    private static string? Parse(ImapCommand command, out SequenceSet set, out Change change)
    {
        (set, change) = (default, null!);
        var arguments = command.Arguments;
        if (!arguments.ExpectSp() || !arguments.ExpectSequenceSet(out set) || !arguments.ExpectSp())
            return arguments.Error;
        var mode = arguments.TryByte('+') ? StoreMode.Add : arguments.TryByte('-') ? StoreMode.Remove : StoreMode.Replace;
        var silent = arguments.TryWord("FLAGS.SILENT"u8);
        if (!silent && !arguments.TryWord("FLAGS"u8))
            return "Unknown STORE item";
        if (!arguments.ExpectSp() || !arguments.ExpectFlagListOrFlags(out var flags) || !arguments.ExpectEnd())
            return arguments.Error;
        change = new(mode, silent, flags);
        return null;
    }
}
