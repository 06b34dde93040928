using EventMail.Domain.Mailboxes;
using EventMail.EventStore;

namespace EventMail.Projections.Mailboxes;

/// <summary>What mailboxes were like before, from their streams. Thread-safe.</summary>
internal sealed class MailboxHistory(EventReader reader)
{
    /// <inheritdoc cref="MailboxService.VanishedAsync"/>
    public async Task<UidSet> VanishedAsync(StreamKey key, MailboxView view, UidSet among, long modSeq, CancellationToken cancel)
    {
        var now = view.HighestModSeq;
        // UIDs are given out one after the other: whatever is below UIDNEXT and is not here has been here.
        among = among.Intersect(UidSet.OfRange(1, view.UidNext - 1));
        var gone = among.Except(view.Existing(among));
        if (gone.IsEmpty || modSeq >= now)
            return UidSet.Empty;
        // It went either before or after: the shorter half of the stream tells which.
        return modSeq < now - modSeq
            ? gone.Except(await ExpungedAsync(key, 1, modSeq, cancel))
            : gone.Intersect(await ExpungedAsync(key, modSeq + 1, now, cancel));
    }

    /// <summary>What has become of these flags after a MODSEQ, to all messages.</summary>
    public async Task<FlagHistory> FlagsSinceAsync(StreamKey key, long modSeq, IReadOnlyList<string> flags, CancellationToken cancel)
    {
        var (upTo, ranges) = (modSeq, new List<UidRange>());
        await foreach (var e in reader.ReadStreamAsync(key, modSeq + 1, cancel: cancel))
        {
            upTo = e.Version;
            ranges.AddRange(Touched(e.Data, flags).Ranges);
        }
        return new(upTo, UidSet.FromRanges(ranges));
    }

    /// <summary>The messages that an event brought, or on which it changed one of these flags.</summary>
    internal static UidSet Touched(object @event, IReadOnlyList<string> flags) => @event switch
    {
        MessageReceived e => UidSet.Of(e.Uid),
        MessageAppended e => UidSet.Of(e.Uid),
        MessagesCopiedIn e => UidSet.Parse(e.Uids),
        MessagesRestored e => UidSet.Parse(e.Uids),
        FlagsChanged e => e.Changes.Where(change => flags.Contains(change.Flag, StringComparer.OrdinalIgnoreCase))
            .Aggregate(UidSet.Empty, (all, change) => all.Union(UidSet.Parse(change.Added)).Union(UidSet.Parse(change.Removed))),
        _ => UidSet.Empty,
    };

    private async Task<UidSet> ExpungedAsync(StreamKey key, long from, long to, CancellationToken cancel)
    {
        if (from > to)
            return UidSet.Empty;
        var ranges = new List<UidRange>();
        await foreach (var e in reader.ReadStreamAsync(key, from, to, MailboxEventTypes.Removing, cancel))
        {
            // A row of an older type that is read as several has parts of other types, too.
            if (e.Data is MessagesExpunged expunged)
                ranges.AddRange(UidSet.Parse(expunged.Uids).Ranges);
        }
        return UidSet.FromRanges(ranges);
    }
}
