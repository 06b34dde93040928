using EventMail.EventStore;
using EventMail.Projections.Accounts;
using EventMail.Projections.Mailboxes;
using EventMail.Protocols.Smtp.Data;
using EventMail.Protocols.Smtp.Reception;
using Directory = EventMail.Projections.Accounts.Directory;

namespace EventMail.Protocols.Smtp;

/// <summary>The accounts of this server.</summary>
/// <param name="checks">What mail from other servers goes through first; null for nothing.</param>
public sealed class MailboxDestination(Directory directory, ContentStore contents, MailboxService mailboxes, ReceptionChecks? checks = null) : ISmtpDestination
{
    public ValueTask<RecipientAnswer> ResolveAsync(string localPart, string domain, long size, CancellationToken cancel) =>
        directory.ResolveAsync(localPart, domain, size, cancel);

    public async ValueTask<SmtpReply?> AdmitAsync(SmtpEnvelope envelope, AcceptedRecipient recipient, CancellationToken cancel) =>
        // Its sender keeps it; the other recipients get theirs.
        await mailboxes.Arrivals.IsDamagedAsync(recipient.Locals, cancel) ? SmtpReplies.MailboxDamaged
            : checks?.Concern(envelope) == true ? await checks.AdmitAsync(envelope, recipient, recipient.Locals, cancel)
            : null;

    public ISmtpMessage Begin(SmtpEnvelope envelope) => checks?.Concern(envelope) == true
        ? new CheckedMessage(envelope, checks, contents, mailboxes)
        : new StreamedMessage(IncomingMessage.Begin(contents), mailboxes, TraceFields.Write(envelope));
}
