using System.Text.Json.Serialization;
using EventMail.Domain.Mailboxes;

namespace EventMail.Domain.Deliveries;

// The events of a delivery's stream: one stream for each submitted message, in its sender's tenant. Recipients are named by their
// position in MessageSubmitted.Recipients, counted from 0.

/// <summary>A user handed in a message for others. What it promises is durable: each recipient ends delivered, failed or cancelled.</summary>
/// <param name="Sender">The reverse-path without angle brackets; empty for the null sender.</param>
/// <param name="Content">With our trace fields in front.</param>
/// <param name="Skip">So many octets at the front are for local mailboxes only (Return-Path) and are not relayed.</param>
/// <param name="MessageId">The Message-ID field, normalised.</param>
/// <param name="EnvelopeId">ENVID (RFC 3461 §4.4), xtext decoded; null when none was given.</param>
/// <param name="Return">RET: "full" or "hdrs" (RFC 3461 §4.3); null when none was given.</param>
/// <param name="Body">"7bit", "8bitmime" or "binarymime": what the octets need, not what the client declared.</param>
/// <param name="SmtpUtf8">An address or a header field is beyond ASCII (RFC 6531).</param>
/// <param name="RequireTls">RFC 8689.</param>
/// <param name="HoldUntil">Not before (FUTURERELEASE, RFC 4865).</param>
/// <param name="DeliverBy">DELIVERBY (RFC 2852).</param>
/// <param name="Priority">MT-PRIORITY (RFC 6710): -9 to 9.</param>
/// <param name="TlsOptional">"TLS-Required: No" (RFC 8689 §3): it goes, whatever the recipients' domains ask of TLS.</param>
/// <param name="FutureRelease">What was asked for, as a notification repeats it (RFC 4865 §5.1.2): "for;60" or "until;" and a date-time.</param>
public sealed record MessageSubmitted(
    string Sender, ContentRef Content, int Skip, string? MessageId, string? EnvelopeId, string? Return, string Body, bool SmtpUtf8,
    bool RequireTls, DateTimeOffset? HoldUntil, DeliverBy? DeliverBy, int Priority, SubmittedRecipient[] Recipients,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool TlsOptional = false,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? FutureRelease = null);

/// <param name="Address">As given; the domain in A-labels unless the message is SMTPUTF8.</param>
/// <param name="Domain">Canonical, lower-case A-labels or an address literal in brackets: what is looked up.</param>
/// <param name="OriginalRecipient">ORCPT as "type;address" in xtext (RFC 3461 §4.2); null when none was given.</param>
/// <param name="Notify">NOTIFY (RFC 3461 §4.1).</param>
/// <param name="NotifyGiven">The client said so itself; else it is the default, which is not passed on (RFC 3461 §5.2.1).</param>
public sealed record SubmittedRecipient(
    string Address, string Domain, string? OriginalRecipient, NotifyOn Notify,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool NotifyGiven = false);

/// <summary>When the sender wants to hear of a recipient (RFC 3461 §4.1).</summary>
[Flags]
public enum NotifyOn
{
    /// <summary>NEVER.</summary>
    None = 0,
    Success = 1,
    Failure = 2,
    Delay = 4,

    /// <summary>Without NOTIFY: failures and delays.</summary>
    Default = Failure | Delay,
}

/// <param name="At">When the time is up.</param>
/// <param name="Mode">"R": return it then; "N": tell the sender and go on.</param>
/// <param name="Trace">"T": tell the sender of each relay that cannot promise it.</param>
public sealed record DeliverBy(DateTimeOffset At, string Mode, bool Trace)
{
    /// <summary>Whole seconds, towards the end; negative when it is over.</summary>
    public long SecondsLeft(DateTimeOffset now) => (long)Math.Floor((At - now).TotalSeconds);
}

/// <summary>Written before an attempt is made: one that has no outcome was cut short, and what became of it is unknown.</summary>
/// <param name="Attempt">1 for the first of this domain's recipients.</param>
/// <param name="Domain">Whose recipients.</param>
/// <param name="Node">The host that makes it.</param>
public sealed record DeliveryBegun(int Attempt, string Domain, int[] Recipients, string Node);

/// <summary>What came of an attempt at one remote host. Each host that was tried is an event of its own, the last one decides.</summary>
/// <param name="Host">The remote host's name; null when none was found.</param>
/// <param name="RemoteAddress">IP address and port; null when it was not connected.</param>
/// <param name="Tls">Null: in the clear.</param>
/// <param name="Code">The reply that decided, 0 when there was none (a fault of the network, of DNS, of TLS).</param>
/// <param name="Enhanced">RFC 3463, ours where the remote host said none.</param>
/// <param name="Text">The reply's text or the fault, one line.</param>
/// <param name="Stage">Where it was decided: "dns", "connect", "greeting", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "final".</param>
/// <param name="Milliseconds">From the look-up or the connection's first use to the outcome.</param>
public sealed record DeliveryAttempted(
    int Attempt, string Domain, int[] Recipients, string? Host, string? RemoteAddress, DeliveryTls? Tls, int Code, string Enhanced,
    string Text, string Stage, int Milliseconds);

/// <param name="Version">"TLSv1.2", "TLSv1.3".</param>
/// <param name="Policy">What asked for it and was met: "opportunistic", "mta-sts", "dane", "requiretls", "smarthost".</param>
/// <param name="Verified">The certificate was checked and is the host's.</param>
public sealed record DeliveryTls(string Version, string Cipher, string Policy, bool Verified);

/// <param name="Mailbox">For a mailbox of this server: its stream, in the same transaction; else null.</param>
/// <param name="Uid">Its UID there.</param>
/// <param name="Relayed">The remote host took it and answers for notifications itself (it offers DSN, RFC 3461 §5.2.2).</param>
public sealed record RecipientDelivered(int[] Recipients, int Code, string Enhanced, string Text, Guid? Mailbox, uint? Uid, bool Relayed);

/// <summary>These recipients are tried again.</summary>
/// <param name="Next">Not before.</param>
/// <param name="Retries">So many of the schedule's retries are used, the one at <paramref name="Next"/> included.</param>
/// <param name="Host">Who said so; null when it was nobody's answer.</param>
public sealed record DeliveryDeferred(
    int Attempt, int[] Recipients, DateTimeOffset Next, int Retries, int Code, string Enhanced, string Text, string? Host);

/// <summary>These recipients will not get it.</summary>
/// <param name="Host">Who said so; null for ourselves.</param>
public sealed record RecipientFailed(int[] Recipients, int Code, string Enhanced, string Text, string? Host);

/// <summary>
/// An attempt was begun and nobody knows what came of it: a host of ours died, or the connection was lost after the whole message was
/// sent. They are tried again, and may get it twice.
/// </summary>
/// <param name="Node">The host that made it.</param>
/// <param name="Next">Not before.</param>
/// <param name="Retries">So many of the schedule's retries are used; hosts that died use none at first.</param>
public sealed record DeliveryOutcomeUnknown(int Attempt, int[] Recipients, string Node, DateTimeOffset Next, int Retries);

/// <summary>The sender was told (RFC 3464), in the same transaction as what it tells of.</summary>
/// <param name="Action">"failed", "delayed", "delivered", "relayed" or "expanded" (RFC 3464 §2.3.3).</param>
/// <param name="Mailbox">Where the notification went: a mailbox's stream; null when the sender has none any more, or is null.</param>
/// <param name="MessageId">The notification's.</param>
/// <param name="TimeIsUp">It is a delay, and told that the time of DELIVERBY with "N" is up (RFC 2852 §4.1.3).</param>
public sealed record BounceIssued(
    int[] Recipients, string Action, Guid? Mailbox, uint? Uid, string? MessageId,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool TimeIsUp = false);

/// <summary>An operator took these recipients out of the queue.</summary>
public sealed record DeliveryCancelled(int[] Recipients, string? Reason);

/// <summary>An operator stopped the delivery until it is released.</summary>
public sealed record DeliveryHeld(string? Reason);

public sealed record DeliveryReleased;

/// <summary>An operator wants these recipients tried now.</summary>
public sealed record DeliveryHastened(int[] Recipients);
