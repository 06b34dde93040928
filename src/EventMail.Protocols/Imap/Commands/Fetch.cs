using EventMail.Domain;
using EventMail.Domain.Mailboxes;
using EventMail.Protocols.Imap.Fetching;
using EventMail.Protocols.Imap.Grammar;
using EventMail.Protocols.Imap.Responses;
using EventMail.Protocols.Imap.Selected;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>
/// RFC 3501 §6.4.5, with CHANGEDSINCE and VANISHED (RFC 7162 §3.1.4, §3.2.6). A message that others expunged and that this client has not been told of is answered all the same: contents
/// are kept, and the known view still says which it was.
/// </summary>
internal static class Fetch
{
    public static async ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        var selected = session.Selected!;
        if (Parse(session, command, out var set, out var items, out var modifiers) is { } error)
            return Reply.Bad(error);
        if (!selected.TryResolve(command, set, out var uids))
            return Reply.Bad(MessageSets.Invalid);
        if (modifiers.Partial is { } asked && MessageLimit.Exceeds(session, asked.Last - asked.First + 1L))
            return MessageLimit.TooMany(session);
        var plan = new FetchPlan(items);
        if (plan.HasModSeq)
            session.Enable(Extensions.Condstore);
        if (modifiers.Vanished)
            await TellVanishedAsync(session, set, modifiers.ChangedSince!.Value).ConfigureAwait(false);
        // RFC 9394 §3.4: first the range, then what changed of it.
        if (modifiers.Partial is { } range)
            uids = range.Of(uids);
        if (modifiers.ChangedSince is { } modSeq)
            uids = selected.Known.UidsOfSequence(selected.Known.SequenceChangedSince(uids, modSeq));
        uids = MessageLimit.Cut(session, uids, out var lowest);
        // RFC 3516 §4.3: a message that cannot be decoded fails the command, and is not seen by it.
        var unknown = plan.Decodes ? await BinaryPart.UnknownAsync(session, plan, uids).ConfigureAwait(false) : UidSet.Empty;
        uids = uids.Except(unknown);
        var seen = UidSet.Empty;
        // RFC 4314 §4: without "s" reading leaves \Seen alone.
        if (plan.SetsSeen && !selected.ReadOnly && (selected.Mailbox.Rights & Rights.Seen) != 0)
        {
            var (rejection, changed) = await SetSeenAsync(session, command, uids).ConfigureAwait(false);
            if (rejection is { } refused)
                return refused;
            seen = changed;
        }

        var (numbers, gone) = (selected.Known.SequenceOfUids(uids), 0);
        if (plan.IsFlagsOnly)
            await FlagsResponse.WriteAsync(session.Writer, selected, numbers, plan.Form | (selected.UidOnly ? FlagsForm.UidFetch : 0)).ConfigureAwait(false);
        else
            gone = await RunAsync(session, plan, numbers, seen).ConfigureAwait(false);
        var reply = !unknown.IsEmpty ? Reply.No("Unknown Content-Transfer-Encoding", "UNKNOWN-CTE")
            : gone > 0 ? Reply.ContentGone
            : selected.DoneWithExpunged(command);
        return MessageLimit.Tell(session, reply, lowest);
    }

    private static async ValueTask<int> RunAsync(ImapSession session, FetchPlan plan, UidSet numbers, UidSet seen)
    {
        var runner = new FetchRunner(session, plan, numbers, seen);
        await runner.RunAsync().ConfigureAwait(false);
        return runner.Gone;
    }

    // Before any FETCH (RFC 7162 §3.2.6). What this client still counts is told it by VANISHED without EARLIER when numbers may move.
    private static async ValueTask TellVanishedAsync(ImapSession session, SequenceSet set, long modSeq)
    {
        var selected = session.Selected!;
        // The client's "*" may be gone itself: here it is the last UID that any message has had.
        var among = set.ToUidSet(Math.Max(selected.Known.UidNext - 1, 1));
        var vanished = await session.Services.Mailboxes.VanishedAsync(
            selected.Mailbox, selected.Known, among, modSeq, session.Cancel).ConfigureAwait(false);
        if (!vanished.IsEmpty)
            await Vanished.WriteAsync(session.Writer, vanished, earlier: true).ConfigureAwait(false);
    }

    // One event however many messages are read, and before they are sent: the responses then carry the new flags.
    private static async ValueTask<(Reply? Refused, UidSet Seen)> SetSeenAsync(ImapSession session, ImapCommand command, UidSet uids)
    {
        var selected = session.Selected!;
        var unseen = uids.Intersect(selected.Known.UidsWhere(set: 0, clear: SystemFlags.Seen));
        if (unseen.IsEmpty)
            return (null, UidSet.Empty);
        var stored = await session.Services.Mailboxes.StoreAsync(
            selected.Mailbox, unseen, StoreMode.Add, [Flag.Seen], null, session.User!.Actor, command.Tag, session.Cancel).ConfigureAwait(false);
        if (stored.Rejection is { Kind: RejectionKind.NoPermission })
            return (null, UidSet.Empty);
        if (stored.Rejection is { } rejection)
            return (Reply.Refused(rejection), UidSet.Empty);
        await selected.SyncAsync(session.Writer, expunges: false, new OwnChange(unseen)).ConfigureAwait(false);
        return (null, unseen);
    }

    // fetch = "FETCH" SP sequence-set SP ("ALL" / "FULL" / "FAST" / fetch-att / "(" fetch-att *(SP fetch-att) ")") [fetch-modifiers]
    private static string? Parse(
        ImapSession session, ImapCommand command, out SequenceSet set, out List<FetchItem> items, out FetchModifiers modifiers)
    {
        (set, items, modifiers) = (default, [], default);
        var arguments = command.Arguments;
        if (!arguments.ExpectSp() || !arguments.ExpectSequenceSet(out set) || !arguments.ExpectSp()
            || !arguments.ExpectFetchItems(session.Limits.MaxFetchItems, command.ByUid && !session.Has(Extensions.UidOnly), out items)
            || !FetchModifiers.Expect(session, command, ref arguments, out modifiers) || !arguments.ExpectEnd())
            return arguments.Error;
        if (modifiers.ChangedSince is not null)
            FetchParser.AddModSeq(items);
        return null;
    }
}
