namespace EventMail.Domain.Mailboxes;

/// <summary>How a mailbox is to become again.</summary>
/// <param name="View">As it was.</param>
/// <param name="Source">The mailbox stream that <paramref name="View"/> is of: the same one, or one that is deleted.</param>
/// <param name="Version">Of the source.</param>
public sealed record RestoreTarget(MailboxView View, Guid Source, long Version)
{
    /// <summary>Only these messages, by their UIDs in <see cref="View"/>; null: all.</summary>
    public UidSet? Only { get; init; }

    /// <summary>Contents that are not to come back where they are missing: they are elsewhere in the account, or nowhere any more.</summary>
    public Func<long, bool> PassOver { get; init; } = static _ => false;

    /// <summary>So many come back; the others with another decision.</summary>
    public int AtMost { get; init; } = int.MaxValue;

    /// <summary>Messages that are still there get the flags that they had.</summary>
    public bool Flags { get; init; } = true;

    /// <summary>What came since goes, unless it is only about some messages (<see cref="Only"/>).</summary>
    public bool RemoveLater { get; init; }
}

/// <summary>What it takes; each event is null where it is not needed. To be appended in this order.</summary>
/// <param name="PassedOver">How many missing messages stay away (<see cref="RestoreTarget.PassOver"/>).</param>
public sealed record RestoreDecision(MessagesRestored? Restored, FlagsChanged? Flags, MessagesExpunged? Removed, int PassedOver)
{
    /// <summary>How many more are missing than <see cref="RestoreTarget.AtMost"/> let come back.</summary>
    public int Left { get; init; }

    public bool IsNothing => Restored is null && Flags is null && Removed is null;
}
