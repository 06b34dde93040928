using EventMail.Domain.Deliveries;
using EventMail.EventStore;
using EventMail.Projections.Accounts;
using EventMail.Projections.Mailboxes;

namespace EventMail.Projections.Deliveries;

/// <summary>A message that a user hands in: <see cref="MessageSubmitted"/> without its content.</summary>
/// <param name="Account">Whose it is: the id of the account that is logged in.</param>
public sealed record Submission(
    string Account, string Sender, int Skip, string? MessageId, string? EnvelopeId, string? Return, string Body, bool SmtpUtf8,
    bool RequireTls, DateTimeOffset? HoldUntil, DeliverBy? DeliverBy, int Priority, SubmittedRecipient[] Recipients,
    bool TlsOptional = false, string? FutureRelease = null);

/// <summary>A recipient, by its position, that is here. An alias's recipient is several of them.</summary>
public readonly record struct SubmittedLocal(int Recipient, LocalRecipient Local);

/// <param name="Delivery">What `queue show` and the log know it by.</param>
/// <param name="Local">Where it lies already.</param>
public sealed record Submitted(StreamKey Delivery, IReadOnlyList<Delivered> Local);
