using EventMail.Domain;
using EventMail.EventStore;
using EventMail.Projections;
using EventMail.Projections.Accounts;
using EventMail.Projections.Mailboxes;
using Directory = EventMail.Projections.Accounts.Directory;

namespace EventMail.Protocols.Smtp;

/// <summary>The accounts of this server.</summary>
public sealed class MailboxDestination(Directory directory, ContentStore contents, MailboxService mailboxes) : ISmtpDestination
{
    public ValueTask<RecipientAnswer> ResolveAsync(string localPart, string domain, long size, CancellationToken cancel) =>
        directory.ResolveAsync(localPart, domain, size, cancel);

    public ISmtpMessage Begin() => new Message(IncomingMessage.Begin(contents), mailboxes);

    private sealed class Message(IncomingMessage incoming, MailboxService mailboxes) : ISmtpMessage
    {
        private StagedContent? _content;

        public string? MessageId => incoming.MessageId;

        public ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel) => incoming.WriteAsync(bytes, cancel);

        public async ValueTask CompleteAsync(CancellationToken cancel) => _content = await incoming.CompleteAsync(false, cancel);

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
