using EventMail.Domain;
using EventMail.Domain.Accounts;
using EventMail.EventStore;
using EventMail.Projections;
using EventMail.Projections.Accounts;
using EventMail.Projections.Mailboxes;
using EventMail.Protocols.Smtp.Data;

namespace EventMail.Protocols.Smtp.Capture;

/// <summary>
/// Capture mode's destination: every recipient is somebody here, with a mailbox from the first sight on. It knows no way out.
/// </summary>
public sealed class CaptureDestination(AccountService accounts, ContentStore contents, MailboxService mailboxes) : ISmtpDestination
{
    public async ValueTask<RecipientAnswer> ResolveAsync(string localPart, string domain, long size, CancellationToken cancel)
    {
        if (MailAddress.OfAnybody(localPart, domain) is not { } address
            || (await accounts.CaptureAsync(address, Actor.System, cancel).ConfigureAwait(false)).Value is not { } account)
            return new(RecipientStatus.Unknown, []);
        var recipient = domain.Length > 0 ? $"{localPart}@{domain}" : localPart;
        return new(RecipientStatus.Local, [new(account.Account, account.Address, recipient) { BeyondQuota = true }]);
    }

    public ISmtpMessage Begin(SmtpEnvelope envelope) =>
        new CapturedMessage(envelope, new(IncomingMessage.Begin(contents), mailboxes, TraceFields.Write(envelope)));

    /// <summary>Kept as every message is; who sends it how is told with its events.</summary>
    private sealed class CapturedMessage(SmtpEnvelope envelope, StreamedMessage message) : ISmtpMessage
    {
        public string? MessageId => message.MessageId;

        public ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel) => message.WriteAsync(bytes, cancel);

        public ValueTask<SmtpReply?> CompleteAsync(CancellationToken cancel) => message.CompleteAsync(cancel);

        public Task<Rejection?> DeliverAsync(
            IReadOnlyList<LocalRecipient> recipients, QuotaRule rule, string reversePath, Actor actor, string cause, CancellationToken cancel) =>
            message.DeliverAsync(recipients, rule, reversePath, actor with { HeadersJson = EnvelopeFacts.Of(envelope, actor.HeadersJson) }, cause, cancel);

        public ValueTask DisposeAsync() => message.DisposeAsync();
    }
}
