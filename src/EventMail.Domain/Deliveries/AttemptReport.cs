namespace EventMail.Domain.Deliveries;

/// <summary>What whoever made an attempt tells of it.</summary>
/// <param name="Hosts">In the order in which they were tried; each becomes a <see cref="DeliveryAttempted"/>.</param>
/// <param name="Outcomes">One per recipient of the attempt. One that is missing is as deferred: nobody gets lost.</param>
public sealed record AttemptReport(IReadOnlyList<HostAttempt> Hosts, IReadOnlyList<RecipientOutcome> Outcomes);

/// <summary>One remote host that was tried; see <see cref="DeliveryAttempted"/>.</summary>
/// <param name="Recipients">Who was tried there.</param>
public sealed record HostAttempt(
    int[] Recipients, string? Host, string? RemoteAddress, DeliveryTls? Tls, int Code, string Enhanced, string Text, string Stage,
    int Milliseconds);

/// <param name="Recipient">Its position.</param>
/// <param name="Code">The reply's, 0 when there was none.</param>
/// <param name="Enhanced">RFC 3463; ours where the remote host said none.</param>
/// <param name="Text">One line.</param>
/// <param name="Host">Who decided; null when it was nobody's answer.</param>
/// <param name="RelayedDsn">The host that took it offers DSN and answers for notifications itself (RFC 3461 §5.2.2).</param>
/// <param name="RelayedTime">The host that took it offers DELIVERBY and minds the sender's time from now on (RFC 2852 §4.1.4).</param>
public readonly record struct RecipientOutcome(
    int Recipient, OutcomeKind Kind, int Code, string Enhanced, string Text, string? Host, bool RelayedDsn = false,
    bool RelayedTime = false);

public enum OutcomeKind
{
    Delivered,

    /// <summary>To be tried again.</summary>
    Deferred,

    /// <summary>For good.</summary>
    Failed,

    /// <summary>To be tried again soon, and no retry is used: it was we who broke off, and nobody said anything.</summary>
    CutOff,

    /// <summary>The connection was lost after all of the message was sent and before the answer: it may have been delivered.</summary>
    Unknown,
}
