namespace EventMail.Domain.Deliveries.Notifications;

/// <summary>What a delivery status notification says (RFC 3464). No string needs to be clean: what cannot stand in a field is replaced.</summary>
/// <param name="ReportingHost">Our name.</param>
/// <param name="Now">The Date field.</param>
/// <param name="MessageId">The notification's own, without angle brackets.</param>
/// <param name="Recipient">Who is told: the message's reverse-path, without angle brackets.</param>
/// <param name="EnvelopeId">ENVID, xtext decoded; null when none was given.</param>
/// <param name="Arrival">When the message was handed in.</param>
/// <param name="Action">One of <see cref="DeliveryActions"/>: what the subject says.</param>
/// <param name="Recipients">Those that it is about, no others (RFC 3461 §5.2.8).</param>
/// <param name="SmtpUtf8">Addresses may stand in UTF-8 (RFC 6533).</param>
/// <param name="DeliverBy">When the sender's time was up (RFC 2852 §5); null without DELIVERBY.</param>
/// <param name="FutureRelease">What was asked for (RFC 4865 §5.1.2), "for;60"; null without FUTURERELEASE.</param>
public sealed record StatusReport(
    string ReportingHost, DateTimeOffset Now, string MessageId, string Recipient, string? EnvelopeId, DateTimeOffset Arrival, string Action,
    IReadOnlyList<ReportedRecipient> Recipients, bool SmtpUtf8, DateTimeOffset? DeliverBy = null, string? FutureRelease = null);

/// <param name="Address">As it was in the envelope.</param>
/// <param name="OriginalRecipient">ORCPT as it came, "type;address in xtext"; null when none was given.</param>
/// <param name="Action">One of <see cref="DeliveryActions"/>.</param>
/// <param name="Enhanced">RFC 3463; what is no such code is written as x.0.0.</param>
/// <param name="RemoteHost">Who said so; null for ourselves.</param>
/// <param name="Diagnostic">"smtp; 550 5.1.1 …" as the remote host said it; null when nothing was said.</param>
/// <param name="LastAttempt">Null when there was none.</param>
/// <param name="WillRetryUntil">Of a delay only.</param>
public sealed record ReportedRecipient(
    string Address, string? OriginalRecipient, string Action, string Enhanced, string? RemoteHost, string? Diagnostic,
    DateTimeOffset? LastAttempt, DateTimeOffset? WillRetryUntil);

/// <summary>RFC 3464 §2.3.3.</summary>
public static class DeliveryActions
{
    public const string Failed = "failed";
    public const string Delayed = "delayed";
    public const string Delivered = "delivered";
    public const string Relayed = "relayed";
    public const string Expanded = "expanded";
}
