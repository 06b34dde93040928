using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;
using EventMail.Protocols.Imap.Fetching;
using EventMail.Protocols.Imap.Grammar;
using EventMail.Protocols.Imap.Responses;

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
    private ReadAhead? _readAhead;

    private SelectedMailbox(OpenMailbox mailbox, bool readOnly)
    {
        (Mailbox, ReadOnly, Known) = (mailbox, readOnly, mailbox.View);
        ClaimRecent(newSince: 0);
        _toldRecent = CountRecent();
        _toldFlags = Known.Flags.Count;
    }

    public OpenMailbox Mailbox { get; }

    /// <summary>EXAMINE.</summary>
    public bool ReadOnly { get; }

    public MailboxView Known { get; private set; }

    /// <summary>Messages in <see cref="Known"/> are gone that the client has not been told of.</summary>
    public bool HasExpunged { get; private set; }

    public static SelectedMailbox Open(OpenMailbox mailbox, bool readOnly) => new(mailbox, readOnly);

    public ReadAhead ReadAhead(ContentStore contents) => _readAhead ??= new(contents);

    public bool IsRecent(uint uid) => _recent.Contains(uid);

    public int CountRecent() => _recent.CountIn(Known);

    /// <summary>A message set of a command by sequence numbers. False: one is no message's (RFC 3501 §9, seq-number).</summary>
    public bool TryResolve(in SequenceSet set, out UidSet numbers)
    {
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
    public UidSet ResolveUids(in SequenceSet set)
    {
        if (Known.Count == 0)
            return UidSet.Empty;
        var largest = Known[Known.Count - 1].Uid;
        return UidSet.FromRanges(set.Ranges.Select(range =>
        {
            var (first, last) = Ordered(range.From, range.To, largest);
            return new UidRange(first, last);
        }));
    }

    private static (uint First, uint Last) Ordered(uint from, uint to, uint largest)
    {
        if (from == SequenceSet.Star)
            from = largest;
        if (to == SequenceSet.Star)
            to = largest;
        return from <= to ? (from, to) : (to, from);
    }

    /// <summary>Tells the client what happened since it was told last (RFC 3501 §7.3, §7.4).</summary>
    /// <param name="expunges">False while sequence numbers must not move (§7.4.1).</param>
    /// <param name="skip">Changed flags that the client need not be told: it has just asked for them, or has been told.</param>
    public async ValueTask SyncAsync(ImapWriter writer, bool expunges, Func<MessageRow, MessageRow, bool>? skip = null)
    {
        var before = Known;
        var current = Mailbox.View;
        if (ReferenceEquals(before, current))
            return;
        var target = expunges ? current : MailboxView.KeepExpunged(before, current);
        var diff = MailboxView.Diff(before, target);
        if (diff.Added > 0)
            ClaimRecent(before.UidNext);
        Known = target;
        HasExpunged = !expunges && target.Count != current.Count;

        foreach (var number in diff.Expunges)
        {
            writer.Raw("* "u8);
            writer.Number(number);
            writer.Raw(" EXPUNGE\r\n"u8);
            await writer.FlushIfFullAsync().ConfigureAwait(false);
        }

        TellCounts(writer, diff.Added > 0);
        TellNewKeywords(writer);
        await TellFlagsAsync(writer, before, diff, skip).ConfigureAwait(false);
    }

    private void TellCounts(ImapWriter writer, bool added)
    {
        if (added)
        {
            writer.Raw("* "u8);
            writer.Number(Known.Count);
            writer.Raw(" EXISTS\r\n"u8);
        }

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
        if (Known.Flags.Count == _toldFlags)
            return;
        TellFlagsOf(writer);
    }

    /// <summary>"* FLAGS" and PERMANENTFLAGS (RFC 3501 §7.1): what there is and what can be kept.</summary>
    public void TellFlagsOf(ImapWriter writer)
    {
        var table = Known.Flags;
        _toldFlags = table.Count;
        var names = string.Join(' ', Flag.System.Concat(table.Keywords));
        writer.Raw("* FLAGS ("u8);
        writer.Ascii(names);
        writer.Raw(")\r\n"u8);
        var permanent = ReadOnly ? "" : table.IsFull ? names : names + " \\*";
        writer.Untagged("OK"u8, $"PERMANENTFLAGS ({permanent})", ReadOnly ? "Nothing can be changed here" : "Flags that are kept");
    }

    private async ValueTask TellFlagsAsync(
        ImapWriter writer, MailboxView before, ViewDiff diff, Func<MessageRow, MessageRow, bool>? skip)
    {
        if (diff.Changed.Count == 0)
            return;
        var lists = new FlagLists(Known.Flags);
        foreach (var (index, oldIndex) in diff.Changed.SelectMany(run => Enumerable.Range(0, run.Count).Select(i => (run.Index + i, run.OldIndex + i))))
        {
            var (row, old) = (Known[index], before[oldIndex]);
            // Another keyword's number or a MODSEQ alone is nothing that this client can see.
            if (old.Flags == row.Flags || (skip is not null && skip(old, row)))
                continue;
            WriteFlags(writer, lists, index, row, withUid: true);
            await writer.FlushIfFullAsync().ConfigureAwait(false);
        }
    }

    /// <summary>"* n FETCH (UID u FLAGS (…))". The UID spares clients a look-up where they did not ask by sequence number.</summary>
    public void WriteFlags(ImapWriter writer, FlagLists lists, int index, in MessageRow row, bool withUid)
    {
        writer.Raw("* "u8);
        writer.Number(index + 1);
        writer.Raw(" FETCH ("u8);
        if (withUid)
        {
            writer.Raw("UID "u8);
            writer.Number(row.Uid);
            writer.Sp();
        }

        writer.Raw("FLAGS "u8);
        writer.Raw(lists.Of(row.Flags, IsRecent(row.Uid)));
        writer.Raw(")\r\n"u8);
    }

    private void ClaimRecent(uint newSince)
    {
        var upTo = Mailbox.View.UidNext - 1;
        if (upTo == 0)
            return;
        // RFC 3501 §6.3.2: EXAMINE changes nothing, so it sees what is recent and leaves it so.
        var first = ReadOnly ? Math.Max(Mailbox.FirstUnclaimed, newSince) : Mailbox.ClaimRecent(upTo);
        if (first <= upTo)
            _recent.Add(first, upTo);
    }

    public void Dispose() => Mailbox.Dispose();
}
