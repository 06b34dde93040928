namespace EventMail.Projections.Mailboxes;

/// <summary>How mailboxes are kept ready.</summary>
public sealed record MailboxOptions
{
    /// <summary>A view is persisted once this many events have happened since: what opening a mailbox reads beside its segments.</summary>
    public int SnapshotEvents { get; init; } = 500;

    /// <summary>A mailbox that has been quiet for <see cref="SnapshotQuiet"/> is persisted from this many events on.</summary>
    public int SnapshotQuietEvents { get; init; } = 100;

    public TimeSpan SnapshotQuiet { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the claim of \Recent waits for more before it is written.</summary>
    public TimeSpan RecentClaimDelay { get; init; } = TimeSpan.FromSeconds(2);
}
