using EventMail.Domain;
using EventMail.EventStore;
using EventMail.Projections;
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

    public ISmtpMessage Begin(SmtpEnvelope envelope) => checks?.Concern(envelope) == true
        ? new CheckedMessage(envelope, checks, contents, mailboxes)
        : new StreamedMessage(IncomingMessage.Begin(contents), mailboxes, TraceFields.Write(envelope));

    /// <summary>Nobody looks at it: its octets go straight into the store.</summary>
    private sealed class StreamedMessage(IncomingMessage incoming, MailboxService mailboxes, byte[] trace) : ISmtpMessage
    {
        private byte[]? _trace = trace;
        private StagedContent? _content;

        public string? MessageId => incoming.MessageId;

        public ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel) =>
            _trace is null ? incoming.WriteAsync(bytes, cancel) : WriteFirstAsync(bytes, cancel);

        private async ValueTask WriteFirstAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel)
        {
            await incoming.WriteAsync(_trace, cancel);
            _trace = null;
            await incoming.WriteAsync(bytes, cancel);
        }

        public async ValueTask<SmtpReply?> CompleteAsync(CancellationToken cancel)
        {
            // Of a message without any octet, too.
            await WriteAsync(default, cancel);
            _content = await incoming.CompleteAsync(false, cancel);
            return null;
        }

        public async Task<Rejection?> DeliverAsync(
            IReadOnlyList<LocalRecipient> recipients, QuotaRule rule, string reversePath, Actor actor, string cause, CancellationToken cancel)
        {
            var content = _content ?? throw new InvalidOperationException("The message is not whole.");
            var result = await mailboxes.ReceiveAsync(recipients, content, reversePath, MessageId, rule, actor, cause, cancel);
            return result.Rejection;
        }

        public ValueTask DisposeAsync() => incoming.DisposeAsync();
    }
}
