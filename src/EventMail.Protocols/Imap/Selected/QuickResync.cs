using EventMail.Domain.Mailboxes;
using EventMail.Projections.Mailboxes;
using EventMail.Protocols.Imap.Grammar;

namespace EventMail.Protocols.Imap.Selected;

/// <summary>What a client knows that comes back with SELECT (QRESYNC …) (RFC 7162 §3.2.5).</summary>
/// <param name="KnownUids">Null: all that the mailbox has ever had.</param>
internal sealed record QuickResync(uint UidValidity, long ModSeq, UidSet? KnownUids, UidSet MatchNumbers, UidSet MatchUids)
{
    /// <summary>
    /// Gone since then, from the log. Not among what the sequence match shows that the client knows (§3.2.5.2). Another UIDVALIDITY
    /// says that it knows nothing: then nothing is told.
    /// </summary>
    public async ValueTask<UidSet> VanishedAsync(ImapSession session, SelectedMailbox selected)
    {
        if (UidValidity != selected.Mailbox.UidValidity)
            return UidSet.Empty;
        var above = LastMatch(selected.Known);
        var among = Among(selected);
        if (above > 0)
            among = above == uint.MaxValue ? UidSet.Empty : among.Intersect(UidSet.OfRange(above + 1, uint.MaxValue));
        return await session.Services.Mailboxes.VanishedAsync(selected.Mailbox, selected.Known, among, ModSeq, session.Cancel).ConfigureAwait(false);
    }

    public async ValueTask TellAsync(ImapSession session, SelectedMailbox selected, UidSet vanished)
    {
        if (UidValidity != selected.Mailbox.UidValidity)
            return;
        if (!vanished.IsEmpty)
            await Vanished.WriteAsync(session.Writer, vanished, earlier: true).ConfigureAwait(false);
        var changed = selected.Known.SequenceChangedSince(Among(selected), ModSeq);
        await FlagsResponse.WriteAsync(session.Writer, selected, changed, selected.Unsolicited).ConfigureAwait(false);
    }

    private UidSet Among(SelectedMailbox selected) => KnownUids ?? UidSet.OfRange(1, selected.Known.UidNext - 1);

    // The highest message that the client knows by number and by UID as we do; everything up to it is known to it.
    private uint LastMatch(MailboxView view)
    {
        var last = 0u;
        var uids = MatchUids.GetEnumerator();
        foreach (var number in MatchNumbers)
        {
            if (!uids.MoveNext() || number > view.Count)
                break;
            if (view[(int)number - 1].Uid == uids.Current)
                last = uids.Current;
        }

        return last;
    }

    // "QRESYNC" SP "(" uidvalidity SP mod-sequence-value [SP known-uids] [SP seq-match-data] ")", from the parenthesis on
    // seq-match-data = "(" known-sequence-set SP known-uid-set ")"
    public static bool Expect(ref CommandParser parser, out QuickResync? resync)
    {
        resync = null;
        if (!parser.ExpectByte('(') || !parser.ExpectNumber(out var uidValidity) || !parser.ExpectSp() || !parser.ExpectModSeq(out var modSeq))
            return false;
        if (uidValidity is 0 or > uint.MaxValue)
            return parser.Fail("Invalid UIDVALIDITY");
        UidSet? known = null;
        var (numbers, uids) = (UidSet.Empty, UidSet.Empty);
        var more = parser.TrySp();
        if (more && parser.Peek != '(')
        {
            if (!parser.ExpectKnownUids(out var set))
                return false;
            known = set.ToUidSet(star: 0);
            more = parser.TrySp();
        }

        if (more && !ExpectMatch(ref parser, out numbers, out uids))
            return false;
        resync = new((uint)uidValidity, modSeq, known, numbers, uids);
        return parser.ExpectByte(')');
    }

    private static bool ExpectMatch(ref CommandParser parser, out UidSet numbers, out UidSet uids)
    {
        numbers = uids = UidSet.Empty;
        if (!parser.ExpectByte('(') || !parser.ExpectAscendingSet(out var first) || !parser.ExpectSp() || !parser.ExpectAscendingSet(out var second))
            return false;
        (numbers, uids) = (first.ToUidSet(star: 0), second.ToUidSet(star: 0));
        return numbers.Count == uids.Count ? parser.ExpectByte(')') : parser.Fail("The known sets differ in length");
    }
}
