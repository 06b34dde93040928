using EventMail.Domain.Mailboxes;

namespace EventMail.Projections.Restoring;

/// <summary>What is to be again as it was.</summary>
/// <param name="Account">Its id.</param>
/// <param name="To">The instant.</param>
public sealed record RestoreWish(string Account, DateTimeOffset To)
{
    /// <summary>Only the mailbox that was called so then; null: all that the account had.</summary>
    public string? Mailbox { get; init; }

    /// <summary>Only these messages of <see cref="Mailbox"/>, by their UIDs of then; null: all.</summary>
    public UidSet? Messages { get; init; }

    /// <summary>
    /// Only messages with these contents, whatever mailboxes they were in; with <see cref="Messages"/>, those as well. Null: they are not asked for so.
    /// </summary>
    public IReadOnlySet<long>? Contents { get; init; }

    /// <summary>Messages that are still there get the flags of then.</summary>
    public bool Flags { get; init; } = true;

    /// <summary>Also what was moved away and is still in another mailbox than Trash or Junk.</summary>
    public bool Moved { get; init; }

    /// <summary>Nothing is done, only said.</summary>
    public bool DryRun { get; init; }
}

/// <summary>What became of one mailbox, or would.</summary>
/// <param name="Name">As it was called then.</param>
/// <param name="Into">The mailbox that it went into, by its name of now, where that is another name.</param>
/// <param name="Recreated">It was deleted and is back, with its UIDs.</param>
/// <param name="Renamed">It has its old name again.</param>
/// <param name="Restored">Messages that came back.</param>
/// <param name="Flagged">Messages whose flags changed.</param>
/// <param name="Removed">Messages that went.</param>
/// <param name="Elsewhere">Messages that stay where they were moved to.</param>
/// <param name="Released">Messages whose content is not kept any more.</param>
/// <param name="Refused">Why nothing was done; null when it was.</param>
public sealed record RestoredMailbox(
    string Name, string? Into, bool Recreated, bool Renamed, long Restored, long Flagged, long Removed, int Elsewhere, int Released, string? Refused)
{
    /// <summary>Annotations that are as before.</summary>
    public int Annotations { get; init; }

    /// <summary>Identifiers whose rights are as before.</summary>
    public int Rights { get; init; }

    /// <summary>The mailbox is gone: a session that was undone had made it or brought it back.</summary>
    public bool Gone { get; init; }

    public bool IsUnchanged => !Recreated && !Renamed && !Gone && Restored + Flagged + Removed + Annotations + Rights == 0 && Refused is null;
}
