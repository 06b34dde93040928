using EventMail.Domain;
using EventMail.EventStore;
using EventMail.Projections;
using EventMail.Projections.Accounts;
using EventMail.Projections.Mailboxes;
using EventMail.Protocols.Smtp.Data;

namespace EventMail.Protocols.Smtp.Reception;

/// <summary>A message that is kept apart until it has been checked, and only then written into the store.</summary>
internal sealed class CheckedMessage(SmtpEnvelope envelope, ReceptionChecks checks, ContentStore contents, MailboxService mailboxes) : ISmtpMessage
{
    private readonly MessageSpool _spool = checks.Spool.Begin();
    private IncomingMessage? _incoming;
    private StagedContent? _content;
    private Arrival _arrival = Arrival.Plain;
    private bool _discarded;

    public string? MessageId => _incoming?.MessageId;

    public ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel) => _spool.WriteAsync(bytes, cancel);

    public async ValueTask<SmtpReply?> CompleteAsync(CancellationToken cancel)
    {
        await using var message = new ReceivedMessage(envelope, _spool);
        var result = _spool.HeaderTooLong
            ? StepResult.Refused("header", SmtpReplies.HeaderTooLong)
            : await checks.RunAsync(message, cancel).ConfigureAwait(false);
        if (result.Disposition >= Disposition.Discard)
        {
            _discarded = result.Disposition == Disposition.Discard;
            return await checks.SettleAsync(message, result, Recipients(), cancel).ConfigureAwait(false);
        }

        _arrival = new(result.Disposition == Disposition.Junk ? Placement.Junk : Placement.Inbox, message.Authentication, message.Verdicts);
        _incoming = IncomingMessage.Begin(contents);
        await _incoming.WriteAsync(TraceFields.Write(envelope, reverseName: message.Authentication?.ReverseName, fields: message.Fields), cancel).ConfigureAwait(false);
        await _incoming.WriteAsync(message.EditedHeader, cancel).ConfigureAwait(false);
        await foreach (var piece in message.EditedBodyAsync(cancel).ConfigureAwait(false))
            await _incoming.WriteAsync(piece, cancel).ConfigureAwait(false);
        _content = await _incoming.CompleteAsync(false, cancel).ConfigureAwait(false);
        await _spool.DisposeAsync().ConfigureAwait(false);
        return null;
    }

    public async Task<Rejection?> DeliverAsync(
        IReadOnlyList<LocalRecipient> recipients, QuotaRule rule, string reversePath, Actor actor, string cause, CancellationToken cancel)
    {
        if (_discarded)
            return null;
        var content = _content ?? throw new InvalidOperationException("The message is not whole.");
        var result = await mailboxes.Arrivals.ReceiveAsync(recipients, content, reversePath, MessageId, rule, actor, cause, cancel, _arrival).ConfigureAwait(false);
        return result.Rejection;
    }

    public async ValueTask DisposeAsync()
    {
        await _spool.DisposeAsync().ConfigureAwait(false);
        if (_incoming is not null)
            await _incoming.DisposeAsync().ConfigureAwait(false);
    }

    private List<LocalRecipient> Recipients() => [.. envelope.Recipients.SelectMany(recipient => recipient.Locals).DistinctBy(local => local.Account)];
}
