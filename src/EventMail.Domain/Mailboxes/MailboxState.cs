namespace EventMail.Domain.Mailboxes;

/// <summary>
/// A mailbox at one version of its stream. The header alone is enough to put messages in; the view is there when somebody needed
/// the messages, and then moves along. Immutable.
/// </summary>
public sealed record MailboxState
{
    /// <summary>A stream without events. Its messages are known: there are none.</summary>
    public static readonly MailboxState Empty = new() { View = MailboxView.Empty };

    public string Name { get; init; } = "";

    public uint UidValidity { get; init; }

    /// <summary>The UID that the next message will get.</summary>
    public uint UidNext { get; init; } = 1;

    public long Messages { get; init; }

    public long Unseen { get; init; }

    /// <summary>The sizes' sum.</summary>
    public long Bytes { get; init; }

    /// <summary>The first UID that no session has claimed as \Recent.</summary>
    public uint RecentFrom { get; init; } = 1;

    public string? SpecialUse { get; init; }

    public FlagTable Flags { get; init; } = FlagTable.Empty;

    public AccessList Acl { get; init; } = AccessList.Empty;

    public bool Deleted { get; init; }

    /// <summary>The stream's version: HIGHESTMODSEQ.</summary>
    public long Version { get; init; }

    /// <summary>The messages, at the same version; null while nobody has asked for them.</summary>
    public MailboxView? View { get; init; }

    public bool Exists => Version > 0 && !Deleted;

    /// <summary>How many messages no session has claimed; without a view at most too high by those of them that were expunged.</summary>
    public long Recent => View is null ? Math.Min(Messages, UidNext - RecentFrom) : View.Count - View.LowerBound(RecentFrom);

    /// <summary>This header with messages at the same version.</summary>
    public MailboxState WithView(MailboxView view) =>
        view.HighestModSeq == Version ? this with { View = view } : throw new ArgumentException("The view is of another version.", nameof(view));

    /// <summary>Folds one event.</summary>
    /// <param name="version">The event's version in the stream: the MODSEQ of what it touches.</param>
    /// <param name="time">When it happened: the save date of what it brings.</param>
    public MailboxState Evolve(object @event, long version, DateTimeOffset time) => @event switch
    {
        MessageReceived e => Put(e.Uid, e.Content, e.InternalDate, e.Flags, version, time),
        MessageAppended e => Put(e.Uid, e.Content, e.InternalDate, e.Flags, version, time),
        FlagsChanged e => ChangeFlags(e, version),
        MessagesExpunged e => Expunge(e, version),
        MessagesCopiedIn e => Put(new(e.Uids, e.Contents, e.Sizes, e.InternalDates, e.Flags), version, time),
        MessagesRestored e => Put(new(e.Uids, e.Contents, e.Sizes, e.InternalDates, e.Flags), version, time),
        RecentClaimed e => this with { RecentFrom = Math.Max(RecentFrom, e.UpTo + 1), Version = version, View = View?.At(version) },
        MailboxCreated e => this with
        {
            Name = e.Name,
            UidValidity = e.UidValidity,
            SpecialUse = e.SpecialUse,
            Version = version,
            View = View?.At(version),
        },
        MailboxRenamed e => this with { Name = e.To, Version = version, View = View?.At(version) },
        MailboxAclChanged e => this with { Acl = Acl.With(e.Identifier, RightsOf(e)), Version = version, View = View?.At(version) },
        MailboxRestored e => this with { Name = e.Name, Deleted = false, Version = version, View = View?.At(version) },
        MailboxDeleted => this with { Deleted = true, Version = version, View = View?.At(version) },
        _ => throw new ArgumentException($"{@event.GetType().Name} is no event of a mailbox.", nameof(@event)),
    };

    /// <summary>True for what <see cref="Evolve"/> folds: the events of mailboxes' streams.</summary>
    public static bool IsEvent(object @event) => @event is
        MessageReceived or MessageAppended or FlagsChanged or MessagesExpunged or MessagesCopiedIn or MessagesRestored or RecentClaimed
        or MailboxCreated or MailboxRenamed or MailboxAclChanged or MailboxRestored or MailboxDeleted;

    /// <summary>What an account may do here.</summary>
    /// <param name="owner">Whose mailbox it is.</param>
    public Rights RightsOf(string account, string owner) => account == owner ? Rights.All : Acl.RightsOf(account);

    private static Rights RightsOf(MailboxAclChanged e) =>
        RightsText.TryParse(e.Rights, out var rights, out var unknown)
            ? rights
            : throw new ArgumentException($"{unknown} is no right.", nameof(e));

    private MailboxState Put(uint uid, ContentRef content, DateTimeOffset date, string[] flags, long version, DateTimeOffset time)
    {
        var table = Flags.With(flags);
        var mask = table.MaskOf(flags);
        var row = new MessageRow(uid, mask, version, (uint)content.Size, date.ToUnixTimeSeconds(), content.Number, SaveDate(time));
        return this with
        {
            UidNext = uid + 1,
            Messages = Messages + 1,
            Unseen = Unseen + (long)(~mask & SystemFlags.Seen),
            Bytes = Bytes + content.Size,
            Flags = table,
            Version = version,
            View = View?.Append(row, table),
        };
    }

    private MailboxState ChangeFlags(FlagsChanged e, long version)
    {
        var (table, unseen) = (Flags, Unseen);
        foreach (var change in e.Changes)
        {
            table = table.With(change.Flag);
            if (table.BitOf(change.Flag) == 0)
                unseen += UidSet.Parse(change.Removed).Count - UidSet.Parse(change.Added).Count;
        }
        return this with
        {
            Unseen = unseen,
            Flags = table,
            Version = version,
            View = View?.WithFlags(e.Changes, version, table),
        };
    }

    private MailboxState Expunge(MessagesExpunged e, long version)
    {
        var uids = UidSet.Parse(e.Uids);
        return this with
        {
            Messages = Messages - uids.Count,
            Unseen = Unseen - e.Unseen,
            Bytes = Bytes - e.Bytes,
            Version = version,
            View = View?.Without(uids, version),
        };
    }

    private static uint SaveDate(DateTimeOffset time) => (uint)Math.Clamp(time.ToUnixTimeSeconds(), 0, uint.MaxValue);

    // The columns of messages that come together.
    private readonly record struct Incoming(string Uids, long[] Contents, long[] Sizes, long[] InternalDates, FlagSet[] Flags);

    private MailboxState Put(Incoming e, long version, DateTimeOffset time)
    {
        var uids = UidSet.Parse(e.Uids);
        var (table, unseen, bytes) = (Flags, uids.Count, 0L);
        foreach (var set in e.Flags)
        {
            table = table.With(set.Flag);
            if (table.BitOf(set.Flag) == 0)
                unseen -= UidSet.Parse(set.Uids).Count;
        }
        foreach (var size in e.Sizes)
            bytes += size;
        return this with
        {
            UidNext = uids.Last + 1,
            Messages = Messages + uids.Count,
            Unseen = Unseen + unseen,
            Bytes = Bytes + bytes,
            Flags = table,
            Version = version,
            View = View?.Append(Rows(e, uids, table, version, SaveDate(time)), version, table),
        };
    }

    private static MessageRow[] Rows(in Incoming e, UidSet uids, FlagTable table, long version, uint saved)
    {
        var rows = new MessageRow[uids.Count];
        var i = 0;
        foreach (var uid in uids)
        {
            rows[i] = new(uid, 0, version, (uint)e.Sizes[i], e.InternalDates[i], e.Contents[i], saved);
            i++;
        }
        foreach (var set in e.Flags)
        {
            var bit = table.BitOf(set.Flag);
            if (bit < 0)
                continue;
            foreach (var uid in UidSet.Parse(set.Uids))
            {
                var at = Array.BinarySearch(rows, new MessageRow(uid, 0, 0, 0, 0, 0, 0), ByUid);
                rows[at] = rows[at] with { Flags = rows[at].Flags | 1UL << bit };
            }
        }
        return rows;
    }

    private static readonly IComparer<MessageRow> ByUid = Comparer<MessageRow>.Create(static (a, b) => a.Uid.CompareTo(b.Uid));
}
