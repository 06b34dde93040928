using System.Numerics;
using EventMail.Domain.Reception;

namespace EventMail.Domain.Mailboxes;

/// <param name="Event">Null when nothing changes.</param>
/// <param name="Changed">The messages whose flags change.</param>
/// <param name="Modified">Passed over, because they changed after UNCHANGEDSINCE (RFC 7162 §3.1.3).</param>
public sealed record StoreDecision(FlagsChanged? Event, UidSet Changed, UidSet Modified);

/// <param name="Into">For the destination; null when there is nothing to copy.</param>
/// <param name="OutOf">For the source of a MOVE.</param>
public sealed record CopyDecision(MessagesCopiedIn? Into, MessagesExpunged? OutOf, UidSet SourceUids, UidSet Uids);

/// <param name="Event">Null when nothing goes.</param>
public sealed record ExpungeDecision(MessagesExpunged? Event, UidSet Uids);

/// <summary>What may happen to a mailbox, and as which event. Pure.</summary>
public static class MailboxDecider
{
    /// <param name="name">From <see cref="MailboxName.ForCreation"/>.</param>
    public static Result<MailboxCreated> Create(MailboxState state, string name, uint uidValidity, string? specialUse)
    {
        if (state.Version > 0)
            return Rejection.MailboxExists;
        if (specialUse is null)
            return new MailboxCreated(name, uidValidity, null);
        // RFC 6154 §3: NO [USEATTR].
        return SpecialUses.Canonical(specialUse) is { } known
            ? new MailboxCreated(name, uidValidity, known)
            : Rejection.SpecialUse;
    }

    public static Result<MailboxDeleted> Delete(MailboxState state)
    {
        if (!state.Exists)
            return Rejection.MailboxMissing;
        // RFC 9051 §6.3.5: it is an error to delete INBOX.
        return state.Name == MailboxName.Inbox
            ? new Rejection(RejectionKind.CannotChange, "INBOX cannot be deleted")
            : new MailboxDeleted(state.Name, state.Messages, state.Bytes);
    }

    /// <summary>The account is closed: INBOX goes, too.</summary>
    public static MailboxDeleted? DeleteWithAccount(MailboxState state) =>
        state.Exists ? new(state.Name, state.Messages, state.Bytes) : null;

    /// <param name="from">The name that the caller knows: another one by now is a missing mailbox.</param>
    /// <param name="to">From <see cref="MailboxName.ForCreation"/>.</param>
    public static Result<MailboxRenamed> Rename(MailboxState state, string from, string to)
    {
        if (!state.Exists || state.Name != from)
            return Rejection.MailboxMissing;
        return from == to ? Rejection.MailboxExists : new MailboxRenamed(from, to);
    }

    public static Result<MessageReceived> Receive(
        MailboxState state, ContentRef content, DateTimeOffset now, string reversePath, string recipient, string? messageId,
        Authentication? authentication = null, FilterVerdict[]? verdicts = null) =>
        Refuse(state, content.Size) is { } rejection
            ? rejection
            : new MessageReceived(state.UidNext, content, now, reversePath, recipient, messageId, [], authentication, verdicts);

    public static Result<MessageAppended> Append(
        MailboxState state, ContentRef content, DateTimeOffset internalDate, IReadOnlyList<string> flags, string? messageId,
        Rights rights = Rights.All)
    {
        if (Refuse(state, content.Size) is { } refusal)
            return refusal;
        if (CheckFlags(state.Flags, flags, out var table, out var mask) is { } rejection)
            return rejection;
        // RFC 4314 §4: flags that one may not set are left out; the message is put in all the same.
        return new MessageAppended(state.UidNext, content, internalDate, Names(table, mask & RightsText.FlagsOf(rights)), messageId);
    }

    private static Rejection? Refuse(MailboxState state, long size)
    {
        if (!state.Exists)
            return Rejection.MailboxMissing;
        if (size > uint.MaxValue)
            return Rejection.Limit("Message too large");
        return RefuseMore(state, 1);
    }

    internal static Rejection? RefuseMore(MailboxState state, long messages) =>
        state.Messages + messages > MailboxLimits.MaxMessages ? Rejection.Limit("Too many messages in mailbox")
        // UIDs are never used again (RFC 9051 §2.3.1.1); the last one stays unused, so that UIDNEXT is a number.
        : state.UidNext + messages > uint.MaxValue ? Rejection.Limit("UIDs are used up")
        : null;

    /// <summary>The flags' mask in a table that has them all.</summary>
    private static Rejection? CheckFlags(FlagTable known, IReadOnlyList<string> flags, out FlagTable table, out ulong mask)
    {
        (table, mask) = (known, 0);
        if (FlagNames.Check(flags) is { } rejection)
            return rejection;
        table = known.With(flags);
        for (var i = 0; i < flags.Count; i++)
        {
            var bit = table.BitOf(flags[i]);
            if (bit < 0)
                return Rejection.Limit("Too many keywords in mailbox");
            mask |= 1UL << bit;
        }
        return null;
    }

    private static string[] Names(FlagTable table, ulong mask)
    {
        var names = new string[BitOperations.PopCount(mask)];
        for (var i = 0; i < names.Length; i++, mask &= mask - 1)
            names[i] = table.NameOf(BitOperations.TrailingZeroCount(mask));
        return names;
    }

    /// <summary>STORE (RFC 9051 §6.4.6). The state must have its view. Unknown UIDs are passed over.</summary>
    /// <param name="rights">Flags that they do not let one change stay as they are.</param>
    /// <param name="history">What has become of these flags since; without it a message fails where anything has.</param>
    public static Result<StoreDecision> Store(
        MailboxState state, UidSet uids, StoreMode mode, IReadOnlyList<string> flags, long? unchangedSince, Rights rights = Rights.All,
        FlagHistory? history = null)
    {
        if (!state.Exists)
            return Rejection.MailboxMissing;
        var (table, mask) = (state.Flags, 0UL);
        if (mode == StoreMode.Remove)
            mask = table.MaskOf(flags);
        else if (CheckFlags(state.Flags, flags, out table, out mask) is { } rejection)
            return rejection;
        // RFC 4314 §4: refused only when no flag that it is about may be changed.
        var allowed = RightsText.FlagsOf(rights);
        if (mode == StoreMode.Replace ? allowed == 0 : (mask & ~allowed) != 0 && (mask & allowed) == 0)
            return AccessDecider.Missing(rights);
        mask &= allowed;

        var changes = new FlagChangeBuilder();
        var modified = new UidSet.Builder();
        var limit = unchangedSince ?? long.MaxValue;
        foreach (var range in uids.Ranges)
        {
            foreach (var slice in state.View!.SlicesOf(range))
            {
                for (var i = 0; i < slice.Length; i++)
                {
                    var before = slice.Flags[i];
                    if (slice.ModSeqs[i] > limit && history?.Spares(slice.Uids[i], slice.ModSeqs[i]) != true)
                        modified.Add(slice.Uids[i]);
                    else if (mode == StoreMode.Add)
                        changes.Add(slice.Uids[i], mask & ~before, 0);
                    else if (mode == StoreMode.Remove)
                        changes.Add(slice.Uids[i], 0, mask & before);
                    else
                        changes.Add(slice.Uids[i], mask & ~before, before & ~mask & allowed);
                }
            }
        }
        var changed = changes.Build(table, out var all);
        return new StoreDecision(changed.Length == 0 ? null : new(changed), all, modified.Build());
    }

    /// <summary>EXPUNGE and UID EXPUNGE: messages with \Deleted, all or only some. The state must have its view.</summary>
    public static Result<ExpungeDecision> Expunge(MailboxState state, UidSet? only)
    {
        if (!state.Exists)
            return Rejection.MailboxMissing;
        if (state.View!.Deleted == 0)
            return new ExpungeDecision(null, UidSet.Empty);
        var deleted = state.View.UidsWhere(SystemFlags.Deleted, 0);
        return Gone(state.View, only is null ? deleted : deleted.Intersect(only), null);
    }

    /// <summary>POP3's QUIT: these messages whatever their flags. The state must have its view.</summary>
    public static Result<ExpungeDecision> Remove(MailboxState state, UidSet uids) =>
        state.Exists ? Gone(state.View!, state.View!.Existing(uids), null) : Rejection.MailboxMissing;

    internal static ExpungeDecision Gone(MailboxView view, UidSet uids, Guid? movedTo)
    {
        if (uids.IsEmpty)
            return new(null, uids);
        var (bytes, unseen) = (0L, 0);
        foreach (var range in uids.Ranges)
        {
            foreach (var slice in view.SlicesOf(range))
            {
                foreach (var size in slice.Sizes)
                    bytes += size;
                foreach (var flags in slice.Flags)
                    unseen += (int)(~flags & SystemFlags.Seen);
            }
        }
        return new(new(uids.ToString(), bytes, unseen, movedTo), uids);
    }

    /// <summary>COPY and MOVE (RFC 9051 §6.4.7, §6.4.8). The source must have its view; the destination's header is enough.</summary>
    /// <param name="rights">In the destination: flags that they do not let one set are left behind (RFC 4314 §4).</param>
    public static Result<CopyDecision> Copy(
        MailboxState source, Guid sourceId, UidSet uids, MailboxState destination, Guid destinationId, bool move,
        Rights rights = Rights.All)
    {
        if (!source.Exists || !destination.Exists)
            return Rejection.MailboxMissing;
        var view = source.View!;
        uids = view.Existing(uids);
        if (uids.IsEmpty)
            return new CopyDecision(null, null, uids, uids);
        if (RefuseMore(destination, uids.Count) is { } rejection)
            return rejection;

        var count = (int)uids.Count;
        var (contents, sizes, dates) = (new long[count], new long[count], new long[count]);
        var flags = new UidSet.Builder[64];
        var (next, at, used, allowed) = (destination.UidNext, 0, 0UL, RightsText.FlagsOf(rights));
        foreach (var range in uids.Ranges)
        {
            foreach (var slice in view.SlicesOf(range))
            {
                for (var i = 0; i < slice.Length; i++, at++, next++)
                {
                    (contents[at], sizes[at], dates[at]) = (slice.Contents[i], slice.Sizes[i], slice.InternalDates[i]);
                    used |= slice.Flags[i] & allowed;
                    for (var mask = slice.Flags[i] & allowed; mask != 0; mask &= mask - 1)
                        flags[BitOperations.TrailingZeroCount(mask)].Add(next);
                }
            }
        }
        var newUids = UidSet.OfRange(destination.UidNext, next - 1);
        var into = new MessagesCopiedIn(
            sourceId, move, uids.ToString(), newUids.ToString(), contents, sizes, dates,
            FlagSets(view.Flags, destination.Flags, flags, used));
        return new CopyDecision(into, move ? Gone(view, uids, destinationId).Event : null, uids, newUids);
    }

    // RFC 9051 §6.4.7: flags SHOULD be preserved. Keywords for which the destination has no room are left behind.
    internal static FlagSet[] FlagSets(FlagTable source, FlagTable destination, UidSet.Builder[] flags, ulong used)
    {
        var sets = new List<FlagSet>();
        for (; used != 0; used &= used - 1)
        {
            var bit = BitOperations.TrailingZeroCount(used);
            destination = destination.With(source.NameOf(bit));
            var there = destination.BitOf(source.NameOf(bit));
            if (there >= 0)
                sets.Add(new(destination.NameOf(there), flags[bit].Build().ToString()));
        }
        return [.. sets];
    }

    /// <summary>Null when a session has claimed these before, or the mailbox is gone.</summary>
    public static RecentClaimed? ClaimRecent(MailboxState state, uint upTo)
    {
        upTo = Math.Min(upTo, state.UidNext - 1);
        return state.Exists && upTo >= state.RecentFrom ? new(upTo) : null;
    }
}
