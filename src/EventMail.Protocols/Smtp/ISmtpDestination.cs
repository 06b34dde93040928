using EventMail.Domain;
using EventMail.Projections;
using EventMail.Projections.Accounts;
using EventMail.Projections.Mailboxes;

namespace EventMail.Protocols.Smtp;

/// <summary>Where accepted mail goes: the local mailboxes.</summary>
public interface ISmtpDestination
{
    /// <param name="localPart">Quotes removed.</param>
    /// <param name="domain">Empty for a bare postmaster.</param>
    /// <param name="size">In bytes, 0 when unknown.</param>
    ValueTask<RecipientAnswer> ResolveAsync(string localPart, string domain, long size, CancellationToken cancel);

    /// <summary>Asked about each recipient who was resolved, before it is taken.</summary>
    /// <returns>Null when it may be taken, else what the client is told.</returns>
    ValueTask<SmtpReply?> AdmitAsync(SmtpEnvelope envelope, AcceptedRecipient recipient, CancellationToken cancel) => default;

    /// <summary>A message begins to arrive.</summary>
    ISmtpMessage Begin(SmtpEnvelope envelope);
}

/// <summary>A message on its way in. Disposing it undelivered leaves nothing behind.</summary>
public interface ISmtpMessage : IAsyncDisposable
{
    /// <summary>Octets as the client sent them, transparency dots taken out. The trace fields in front are the destination's to write.</summary>
    ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel);

    /// <summary>The message is whole; nothing may be written afterwards.</summary>
    /// <returns>Null when it may be delivered, else what its sender is told.</returns>
    ValueTask<SmtpReply?> CompleteAsync(CancellationToken cancel);

    /// <summary>The Message-ID field, known once the message is whole.</summary>
    string? MessageId { get; }

    /// <summary>The priority that the message has instead of a higher one that its header asked for (RFC 6710 §4.1); null otherwise.</summary>
    int? LoweredPriority => null;

    /// <summary>
    /// Delivers to all of these or to none, durable when the task ends. May be called again for other recipients.
    /// </summary>
    /// <param name="rule">Whether one of them who is full keeps it from the others.</param>
    /// <returns>Null when it is done, else why not.</returns>
    Task<Rejection?> DeliverAsync(
        IReadOnlyList<LocalRecipient> recipients, QuotaRule rule, string reversePath, Actor actor, string cause, CancellationToken cancel);
}
