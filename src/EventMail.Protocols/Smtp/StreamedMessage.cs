using EventMail.Domain;
using EventMail.EventStore;
using EventMail.Projections;
using EventMail.Projections.Accounts;
using EventMail.Projections.Mailboxes;

namespace EventMail.Protocols.Smtp;

/// <summary>Nobody looks at it: its octets go straight into the store.</summary>
internal sealed class StreamedMessage(IncomingMessage incoming, MailboxService mailboxes, byte[] trace) : ISmtpMessage
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
        var result = await mailboxes.Arrivals.ReceiveAsync(recipients, content, reversePath, MessageId, rule, actor, cause, cancel);
        return result.Rejection;
    }

    public ValueTask DisposeAsync() => incoming.DisposeAsync();
}
