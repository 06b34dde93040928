using System.Numerics;
using System.Runtime.InteropServices;

namespace EventMail.Domain.Mailboxes;

/// <summary>
/// Makes a mailbox again what it was, by events that come on top: history stays as it is. Pure. A message that is missing under its
/// old UID is not missing when its content has come back under a UID that was given out since: restoring twice brings nothing twice.
/// </summary>
public static class RestoreDecider
{
    private readonly record struct Pair(uint Uid, ulong Flags);

    /// <param name="now">Must have its view.</param>
    /// <param name="id">The stream of <paramref name="now"/>.</param>
    public static Result<RestoreDecision> Restore(MailboxState now, Guid id, RestoreTarget target)
    {
        if (!now.Exists)
            return Rejection.MailboxMissing;
        var view = now.View!;
        var isSame = target.Source == id;
        var (there, missing) = Compare(view, target, isSame);
        var back = Returned(view, target, missing, isSame);
        var (lost, passed, left) = (new List<MessageRow>(), 0, 0);
        foreach (var row in missing)
        {
            if (back.TryGetValue(row.Content, out var uids) && uids.TryDequeue(out var uid))
                there.Add(new(uid, row.Flags));
            else if (target.PassOver(row.Content))
                passed++;
            else if (lost.Count < target.AtMost)
                lost.Add(row);
            else
                left++;
        }
        if (MailboxDecider.RefuseMore(now, lost.Count) is { } rejection)
            return rejection;
        there.Sort(static (a, b) => a.Uid.CompareTo(b.Uid));
        return new RestoreDecision(
            Restored(now, target, lost), target.Flags ? Flags(now, target.View.Flags, there) : null,
            target is { RemoveLater: true, Only: null } ? Removed(view, there) : null, passed)
        {
            Left = left,
        };
    }

    /// <summary>A deleted mailbox comes back whole, with its UIDs, where its name is free.</summary>
    /// <param name="name">From <see cref="MailboxName.ForCreation"/>.</param>
    public static Result<MailboxRestored> Undelete(MailboxState state, string name) =>
        state is { Version: > 0, Deleted: true } ? new MailboxRestored(name) : Rejection.MailboxExists;

    // Which messages of the target are there under their UIDs, and which are not.
    private static (List<Pair> There, List<MessageRow> Missing) Compare(MailboxView view, RestoreTarget target, bool isSame)
    {
        var (there, missing) = (new List<Pair>(), new List<MessageRow>());
        foreach (var range in (target.Only ?? UidSet.OfRange(1, target.View.LargestUid())).Ranges)
        {
            foreach (var slice in target.View.SlicesOf(range))
            {
                for (var i = 0; i < slice.Length; i++)
                {
                    if (isSame && view.IndexOf(slice.Uids[i]) >= 0)
                        there.Add(new(slice.Uids[i], slice.Flags[i]));
                    else
                        missing.Add(target.View[slice.Start + i]);
                }
            }
        }
        return (there, missing);
    }

    // The missing contents that came back since, by their UIDs of today.
    private static Dictionary<long, Queue<uint>> Returned(MailboxView view, RestoreTarget target, List<MessageRow> missing, bool isSame)
    {
        var returned = new Dictionary<long, Queue<uint>>();
        if (missing.Count == 0 || view.Count == 0)
            return returned;
        var contents = new HashSet<long>(missing.Count);
        foreach (var row in missing)
            contents.Add(row.Content);
        foreach (var slice in view.Slices())
        {
            for (var i = 0; i < slice.Length; i++)
            {
                if (!contents.Contains(slice.Contents[i]) || (isSame && target.View.IndexOf(slice.Uids[i]) >= 0))
                    continue;
                ref var uids = ref CollectionsMarshal.GetValueRefOrAddDefault(returned, slice.Contents[i], out _);
                (uids ??= new()).Enqueue(slice.Uids[i]);
            }
        }
        return returned;
    }

    private static MessagesRestored? Restored(MailboxState now, RestoreTarget target, List<MessageRow> lost)
    {
        if (lost.Count == 0)
            return null;
        var sources = new UidSet.Builder();
        var (contents, sizes, dates) = (new long[lost.Count], new long[lost.Count], new long[lost.Count]);
        var (flags, used) = (new UidSet.Builder[64], 0UL);
        for (var i = 0; i < lost.Count; i++)
        {
            var row = lost[i];
            sources.Add(row.Uid);
            (contents[i], sizes[i], dates[i]) = (row.Content, row.Size, row.InternalDate);
            used |= row.Flags;
            for (var mask = row.Flags; mask != 0; mask &= mask - 1)
                flags[BitOperations.TrailingZeroCount(mask)].Add(now.UidNext + (uint)i);
        }
        return new(
            target.Source, target.Version, sources.Build().ToString(), UidSet.OfRange(now.UidNext, now.UidNext + (uint)lost.Count - 1).ToString(),
            contents, sizes, dates, MailboxDecider.FlagSets(target.View.Flags, now.Flags, flags, used));
    }

    private static FlagsChanged? Flags(MailboxState now, FlagTable then, List<Pair> there)
    {
        var table = now.Flags.With(then.Keywords);
        var changes = new FlagChangeBuilder();
        var view = now.View!;
        foreach (var (uid, flags) in there)
        {
            var before = view[view.IndexOf(uid)].Flags;
            var wanted = Translate(flags, then, table);
            changes.Add(uid, wanted & ~before, before & ~wanted);
        }
        var changed = changes.Build(table, out _);
        return changed.Length == 0 ? null : new(changed);
    }

    // A keyword for which there is no room any more is left out.
    private static ulong Translate(ulong flags, FlagTable from, FlagTable to)
    {
        var translated = flags & SystemFlags.All;
        for (var mask = flags & ~SystemFlags.All; mask != 0; mask &= mask - 1)
        {
            var bit = to.BitOf(from.NameOf(BitOperations.TrailingZeroCount(mask)));
            if (bit >= 0)
                translated |= 1UL << bit;
        }
        return translated;
    }

    private static MessagesExpunged? Removed(MailboxView view, List<Pair> there)
    {
        var kept = new UidSet.Builder();
        foreach (var (uid, _) in there)
            kept.Add(uid);
        return MailboxDecider.Gone(view, view.Existing(UidSet.OfRange(1, view.LargestUid()).Except(kept.Build())), null).Event;
    }
}
