using EventMail.Domain.Mailboxes;
using EventMail.Protocols.Imap.Grammar;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Selected;

/// <summary>What FETCH, STORE, SEARCH, COPY and MOVE share, by sequence number or by UID.</summary>
internal static class MessageSets
{
    public const string Invalid = "No such message number";

    /// <summary>The UIDs of a command's messages, whichever way it names them.</summary>
    public static bool TryResolve(this SelectedMailbox selected, ImapCommand command, in SequenceSet set, out UidSet uids)
    {
        if (command.ByUid)
        {
            uids = selected.Known.Existing(selected.ResolveUids(set));
            return true;
        }

        var known = selected.TryResolve(set, out var numbers);
        uids = known ? selected.Known.UidsOfSequence(numbers) : UidSet.Empty;
        return known;
    }

    /// <summary>RFC 5530 §3: says that others expunged, which the client will hear at its next NOOP.</summary>
    public static Reply DoneWithExpunged(this SelectedMailbox selected, ImapCommand command) =>
        command.Done(selected.HasExpunged && command.Verb.Sync == Sync.WithoutExpunges ? "EXPUNGEISSUED" : null);
}
