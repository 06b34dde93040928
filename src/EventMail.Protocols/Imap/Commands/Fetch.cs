using EventMail.Domain.Mailboxes;
using EventMail.Protocols.Imap.Fetching;
using EventMail.Protocols.Imap.Grammar;
using EventMail.Protocols.Imap.Responses;
using EventMail.Protocols.Imap.Selected;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>
/// RFC 3501 §6.4.5. A message that others expunged and that this client has not been told of is answered all the same: contents
/// are kept, and the known view still says which it was.
/// </summary>
internal static class Fetch
{
    public static async ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        var selected = session.Selected!;
        if (Parse(session, command, out var set, out var items) is { } error)
            return Reply.Bad(error);
        if (!selected.TryResolve(command, set, out var uids))
            return Reply.Bad(MessageSets.Invalid);
        var plan = new FetchPlan(items);
        var seen = UidSet.Empty;
        if (plan.SetsSeen && !selected.ReadOnly)
        {
            var (rejection, changed) = await SetSeenAsync(session, command, uids).ConfigureAwait(false);
            if (rejection is { } refused)
                return refused;
            seen = changed;
        }

        var numbers = selected.Known.SequenceOfUids(uids);
        if (plan.IsFlagsOnly)
            await FlagsResponse.WriteAsync(session.Writer, selected, numbers, plan.HasUid).ConfigureAwait(false);
        else
            await new FetchRunner(session, plan, numbers, seen).RunAsync().ConfigureAwait(false);
        return selected.DoneWithExpunged(command);
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
        if (stored.Rejection is { } rejection)
            return (Reply.Refused(rejection), UidSet.Empty);
        await selected.SyncAsync(session.Writer, expunges: false, (_, now) => unseen.Contains(now.Uid)).ConfigureAwait(false);
        return (null, unseen);
    }

    // fetch = "FETCH" SP sequence-set SP ("ALL" / "FULL" / "FAST" / fetch-att / "(" fetch-att *(SP fetch-att) ")")
    private static string? Parse(ImapSession session, ImapCommand command, out SequenceSet set, out List<FetchItem> items)
    {
        (set, items) = (default, []);
        var arguments = command.Arguments;
        if (!arguments.ExpectSp() || !arguments.ExpectSequenceSet(out set) || !arguments.ExpectSp()
            || !arguments.ExpectFetchItems(session.Limits.MaxFetchItems, command.ByUid, out items))
            return arguments.Error;
        return arguments.ExpectEnd() ? null : arguments.Error;
    }
}
