using EventMail.EventStore;
using EventMail.Projections.Accounts;
using EventMail.Projections.Deliveries;
using EventMail.Protocols.MailAuth.Dkim;
using EventMail.Protocols.Smtp.Data;
using EventMail.Protocols.Smtp.Reception;
using Directory = EventMail.Projections.Accounts.Directory;

namespace EventMail.Protocols.Smtp.Submission;

/// <summary>Mail of our users: for mailboxes here and, through the queue, for the rest of the world.</summary>
/// <param name="signer">Null: nothing is signed.</param>
/// <param name="checks">Whom messages are shown to first; null for nobody.</param>
public sealed class SubmissionDestination(
    Directory directory, ContentStore contents, DeliveryService deliveries, SpoolSpace spools, SubmissionOptions options, DkimSigner? signer,
    ReceptionChecks? checks = null)
    : ISmtpDestination
{
    internal Directory Directory { get; } = directory;

    internal SenderRules Senders { get; } = new(directory);

    internal ContentStore Contents { get; } = contents;

    internal DeliveryService Deliveries { get; } = deliveries;

    internal SubmissionOptions Options { get; } = options;

    internal DkimSigner? Signer { get; } = signer;

    internal ReceptionChecks? Checks { get; } = checks;

    public ValueTask<RecipientAnswer> ResolveAsync(string localPart, string domain, long size, CancellationToken cancel) =>
        Directory.ResolveAsync(localPart, domain, size, cancel);

    // Its sender's history tells of a refusal, whoever it is for.
    public ValueTask<SmtpReply?> AdmitAsync(SmtpEnvelope envelope, AcceptedRecipient recipient, CancellationToken cancel) =>
        Checks is not null && envelope is { Account: { } account, Actor.UserName: { } address }
            ? Checks.AdmitAsync(envelope, recipient, [new(account, address, recipient.Address)], cancel)
            : default;

    public ISmtpMessage Begin(SmtpEnvelope envelope) => new SubmittedMessage(this, envelope, spools.Begin());
}
