namespace EventMail.Domain.Deliveries;

/// <summary>What is decided of an attempt: the events, and of what its sender is to be told in the same transaction.</summary>
public sealed record Settlement(IReadOnlyList<object> Events, IReadOnlyList<SenderNotice> Notices)
{
    public static readonly Settlement Nothing = new([], []);
}

/// <summary>One notification.</summary>
/// <param name="Action">One of <see cref="Notifications.DeliveryActions"/>.</param>
public sealed record SenderNotice(string Action, IReadOnlyList<NoticedRecipient> Recipients)
{
    /// <summary>It tells that the time of DELIVERBY is up, and that it is tried further (RFC 2852 §4.1.3).</summary>
    public bool TimeIsUp { get; init; }

    /// <summary>It tells of an attempt that has just been made; else nobody says when the last one was.</summary>
    public bool IsOfAttempt { get; init; } = true;

    public int[] Positions => [.. Recipients.Select(recipient => recipient.Recipient)];
}

/// <summary>What a notification says of a recipient.</summary>
/// <param name="Enhanced">Its status (RFC 3463).</param>
/// <param name="Code">Of the remote host's last reply; 0 when it said nothing.</param>
/// <param name="Reply">That reply, its enhanced code included; else what was wrong.</param>
/// <param name="WillRetryUntil">Of a delay only.</param>
public readonly record struct NoticedRecipient(
    int Recipient, string Enhanced, int Code, string Reply, string? Host, DateTimeOffset? WillRetryUntil);
