using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;
using EventMail.Protocols.Imap.Fetching;
using EventMail.Protocols.Imap.Grammar;
using EventMail.Protocols.Imap.Notifying;
using EventMail.Protocols.Imap.Responses;
using EventMail.Protocols.Imap.Searching;

namespace EventMail.Protocols.Imap.Selected;

/// <summary>
/// The selected mailbox as the client knows it. Sequence numbers are positions in <see cref="Known"/>, which moves only where the
/// client is told: a view is immutable, so what others do meanwhile cannot shift them.
/// </summary>
internal sealed class SelectedMailbox : IDisposable
{
    private RecentSet _recent = new();
    private int _toldRecent;
    private int _toldFlags;
    private Rights _toldRights;
    private ReadAhead? _readAhead;
    private SearchUpdates? _updates;

    private readonly ImapSession _session;

    // RFC 7162 §3.2: up to which MODSEQ the client has been told everything, and that it has been told not to believe in more.
    private long _inSync;
    private bool _toldLess;

    // The client has been told of its own changes, and not of others' before them.
    private bool _isPartial;

    private SelectedMailbox(ImapSession session, OpenMailbox mailbox, bool readOnly)
    {
        _session = session;
        (Mailbox, ReadOnly, Known) = (mailbox, readOnly, mailbox.View);
        _inSync = Known.HighestModSeq;
        ClaimRecent(newSince: 0);
        _toldRecent = CountRecent();
        (_toldFlags, _toldRights) = (Known.Flags.Count, mailbox.Rights);
    }

    public OpenMailbox Mailbox { get; }

    public EmailIds EmailIds => _session.User!.EmailIds;

    /// <summary>EXAMINE.</summary>
    public bool ReadOnly { get; }

    public MailboxView Known { get; private set; }

    /// <summary>
    /// What "$" stands for (RFC 5182 §2.1), as UIDs: they are never another message's, so that what is expunged is out of it by itself.
    /// </summary>
    public UidSet Saved { get; set; } = UidSet.Empty;

    /// <summary>Searches whose changes the client is told with the mailbox's.</summary>
    public SearchUpdates Updates => _updates ??= new(_session);

    /// <summary>Messages in <see cref="Known"/> are gone that the client has not been told of.</summary>
    public bool HasExpunged { get; private set; }

    // What the client has not been told has a MODSEQ below those that it may have been told.
    private bool IsBehind => HasExpunged || _isPartial;

    /// <summary>HIGHESTMODSEQ as this client may keep it: nothing up to it is still to be told (RFC 7162 §3.2).</summary>
    public long HighestModSeq => IsBehind ? _inSync : Known.HighestModSeq;

    /// <summary>What an unsolicited FETCH has (RFC 7162 §3.2.4). The UID spares others a look-up where they did not ask by sequence number.</summary>
    public FlagsForm Unsolicited =>
        FlagsForm.Flags | (_session.Has(Extensions.Condstore) ? FlagsForm.ModSeq : 0) | (UidOnly ? FlagsForm.UidFetch : FlagsForm.Uid);

    /// <summary>RFC 9586: messages are named by UID alone.</summary>
    public bool UidOnly => _session.Has(Extensions.UidOnly);

    /// <summary>RFC 9051 Appendix E: \Recent and the RECENT response are gone.</summary>
    public bool TellsRecent => !_session.Has(Extensions.Imap4Rev2);

    public static SelectedMailbox Open(ImapSession session, OpenMailbox mailbox, bool readOnly) => new(session, mailbox, readOnly);

    public ReadAhead ReadAhead(ContentStore contents) => _readAhead ??= new(contents);

    public bool IsRecent(uint uid) => _recent.Contains(uid) && TellsRecent;

    public int CountRecent() => _recent.CountIn(Known);

    /// <summary>A message set of a command by sequence numbers. False: one is no message's (RFC 3501 §9, seq-number).</summary>
    public bool TryResolve(in SequenceSet set, out UidSet numbers)
    {
        if (set.IsSaved)
        {
            numbers = Known.SequenceOfUids(Saved);
            return true;
        }

        var ranges = new List<UidRange>(set.Ranges.Count);
        numbers = UidSet.Empty;
        foreach (var (from, to) in set.Ranges)
        {
            var (first, last) = Ordered(from, to, (uint)Known.Count);
            var open = from == SequenceSet.Star || to == SequenceSet.Star;
            // Clients ask for 1:* of an empty mailbox and for 5:* of four messages without looking; that is no fault.
            if (open)
                last = (uint)Known.Count;
            if (last > Known.Count)
                return false;
            if (last > 0)
                ranges.Add(new(Math.Min(first, last), last));
        }

        numbers = UidSet.FromRanges(ranges);
        return true;
    }

    /// <summary>A message set of a UID command; UIDs that are nobody's are passed over (RFC 3501 §6.4.8).</summary>
    public UidSet ResolveUids(in SequenceSet set) =>
        set.IsSaved ? Known.Existing(Saved) : Known.Count == 0 ? UidSet.Empty : set.ToUidSet(Known.LargestUid());

    private static (uint First, uint Last) Ordered(uint from, uint to, uint largest)
    {
        if (from == SequenceSet.Star)
            from = largest;
        if (to == SequenceSet.Star)
            to = largest;
        return from <= to ? (from, to) : (to, from);
    }

    /// <summary>RFC 5465 §3.1, §5: the client wants to hear of nothing that others do here: to it the mailbox stays as it was.</summary>
    public bool StaysAsItWas => _session.Notifying is { } wanted && !wanted.Tells(NotifyEvents.Counts);

    /// <summary>Tells the client what happened since it was told last (RFC 3501 §7.3, §7.4).</summary>
    /// <param name="expunges">False while sequence numbers must not move (§7.4.1).</param>
    /// <param name="own">What the client has done itself: told in any case.</param>
    public ValueTask SyncAsync(ImapWriter writer, bool expunges, OwnChange? own = null)
    {
        var current = Mailbox.View;
        if (own is not null && StaysAsItWas)
            return MoveToAsync(writer, MailboxView.TakeOnly(Known, current, current.Existing(own.Uids)), current, own);
        return MoveToAsync(writer, expunges ? current : MailboxView.KeepExpunged(Known, current), current, own);
    }

    /// <summary>Tells the client what it has expunged itself, and nothing else.</summary>
    public ValueTask TellExpungedAsync(ImapWriter writer, UidSet gone)
    {
        var current = Mailbox.View;
        return MoveToAsync(writer, MailboxView.TakeOnly(Known, current, gone), current, own: null);
    }

    private async ValueTask MoveToAsync(ImapWriter writer, MailboxView target, MailboxView current, OwnChange? own)
    {
        var before = Known;
        if (ReferenceEquals(before, current))
        {
            if (_updates is { HasTimed: true })
                await _updates.TellChangedAsync(before, UidSet.Empty, UidSet.Empty).ConfigureAwait(false);
            return;
        }

        var diff = MailboxView.Diff(before, target);
        if (diff.Added > 0)
            ClaimRecent(before.UidNext);
        Known = target;
        _isPartial = target.HighestModSeq < current.HighestModSeq;
        HasExpunged = !_isPartial && target.Count != current.Count;
        if (!IsBehind)
            _inSync = target.HighestModSeq;

        if (_updates is not null)
            await _updates.TellVanishedAsync(before, diff.Vanished).ConfigureAwait(false);
        await TellExpungesAsync(writer, diff).ConfigureAwait(false);
        TellCounts(writer, diff.Added > 0);
        TellNewKeywords(writer);
        await TellFlagsAsync(writer, before, diff, own).ConfigureAwait(false);
        if (_updates is { IsEmpty: false })
            await _updates.TellChangedAsync(target, ChangedUids(target, diff), target.UidsAt(target.Count - diff.Added, diff.Added)).ConfigureAwait(false);
    }

    private static UidSet ChangedUids(MailboxView view, ViewDiff diff)
    {
        var changed = new UidSet.Builder();
        foreach (var run in diff.Changed)
        {
            foreach (var range in view.UidsAt(run.Index, run.Count).Ranges)
                changed.Add(range);
        }

        return changed.Build();
    }

    private async ValueTask TellExpungesAsync(ImapWriter writer, ViewDiff diff)
    {
        // RFC 7162 §3.2.10.2, RFC 9586 §3.6
        if (_session.Has(Extensions.Qresync | Extensions.UidOnly))
        {
            if (!diff.Vanished.IsEmpty)
                await Vanished.WriteAsync(writer, diff.Vanished, earlier: false).ConfigureAwait(false);
            return;
        }

        foreach (var number in diff.Expunges)
        {
            writer.Raw("* "u8);
            writer.Number(number);
            writer.Raw(" EXPUNGE\r\n"u8);
            await writer.FlushIfFullAsync().ConfigureAwait(false);
        }
    }

    /// <summary>RFC 7162 §3.2, §6: a client that has heard of MODSEQs above what is not told yet is told to keep a lower one until it hears of that.</summary>
    public void TellHeldModSeq(ImapWriter writer)
    {
        if (!_session.Has(Extensions.Condstore) || (!IsBehind && !_toldLess))
            return;
        _toldLess = IsBehind;
        TellHighestModSeq(writer);
    }

    public void TellHighestModSeq(ImapWriter writer) =>
        writer.Untagged("OK"u8, $"HIGHESTMODSEQ {HighestModSeq}", HasExpunged ? "Expunged messages are still to be told" : IsBehind ? "Changes are still to be told" : "Highest");

    private void TellCounts(ImapWriter writer, bool added)
    {
        if (added)
        {
            writer.Raw("* "u8);
            writer.Number(Known.Count);
            writer.Raw(" EXISTS\r\n"u8);
        }

        if (!TellsRecent)
            return;
        var recent = CountRecent();
        if (!added && recent == _toldRecent)
            return;
        _toldRecent = recent;
        writer.Raw("* "u8);
        writer.Number(recent);
        writer.Raw(" RECENT\r\n"u8);
    }

    // RFC 3501 §7.2.6: FLAGS says which flags there are; clients show keywords that it lists.
    private void TellNewKeywords(ImapWriter writer)
    {
        // RFC 4314 §5.1.1: and so they do when one may change others than before.
        if (Known.Flags.Count != _toldFlags || Mailbox.Rights != _toldRights)
            TellFlagsOf(writer);
    }

    /// <summary>"* FLAGS" and PERMANENTFLAGS (RFC 3501 §7.1): what there is and what can be kept.</summary>
    public void TellFlagsOf(ImapWriter writer)
    {
        var table = Known.Flags;
        (_toldFlags, _toldRights) = (table.Count, Mailbox.Rights);
        var names = string.Join(' ', Flag.System.Concat(table.Keywords));
        writer.Raw("* FLAGS ("u8);
        writer.Ascii(names);
        writer.Raw(")\r\n"u8);
        var permanent = ReadOnly ? "" : Permanent(table, _toldRights);
        writer.Untagged("OK"u8, $"PERMANENTFLAGS ({permanent})", ReadOnly ? "Nothing can be changed here" : "Flags that are kept");
    }

    private static string Permanent(FlagTable table, Rights rights)
    {
        var allowed = RightsText.FlagsOf(rights);
        var names = Flag.System.Concat(table.Keywords).Where(name => (allowed & 1UL << table.BitOf(name)) != 0);
        return string.Join(' ', (rights & Rights.Write) == 0 || table.IsFull ? names : names.Append("\\*"));
    }

    private async ValueTask TellFlagsAsync(ImapWriter writer, MailboxView before, ViewDiff diff, OwnChange? own)
    {
        if (diff.Changed.Count == 0 || _session.Notifying?.Tells(NotifyEvents.FlagChange) == false)
            return;
        var (lists, form) = (new FlagLists(Known.Flags), Unsolicited);
        foreach (var run in diff.Changed)
        {
            for (var at = 0; at < run.Count;)
            {
                at = TellSome(writer, lists, form, run.InOld(before), run.In(Known), at, own);
                if (!await writer.FlushIfFullAsync().ConfigureAwait(false))
                    return;
            }
        }
    }

    // Up to where the client must be waited for.
    private int TellSome(ImapWriter writer, FlagLists lists, FlagsForm form, in ViewSlice before, in ViewSlice now, int at, OwnChange? own)
    {
        for (; at < now.Length && !writer.IsFull; at++)
        {
            at += own?.CountFrom(before, now, at) ?? 0;
            if (at == now.Length)
                break;
            var (uid, old, flags) = (now.Uids[at], before.Flags[at], now.Flags[at]);
            // A MODSEQ alone is nothing that a client without CONDSTORE can see.
            if (old == flags && (form & FlagsForm.ModSeq) == 0)
                continue;
            FlagsResponse.Write(writer, now.Start + at + 1, uid, now.ModSeqs[at], lists.Of(flags, IsRecent(uid)), form);
        }

        return at;
    }

    private void ClaimRecent(uint newSince)
    {
        var upTo = Mailbox.View.UidNext - 1;
        if (upTo == 0 || !TellsRecent)
            return;
        // RFC 3501 §6.3.2: EXAMINE changes nothing, so it sees what is recent and leaves it so.
        var first = ReadOnly ? Math.Max(Mailbox.FirstUnclaimed, newSince) : Mailbox.ClaimRecent(upTo);
        if (first <= upTo)
            _recent.Add(first, upTo);
    }

    public void Dispose() => Mailbox.Dispose();
}
