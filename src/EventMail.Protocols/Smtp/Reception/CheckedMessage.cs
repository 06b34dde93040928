using EventMail.Domain;
using EventMail.Domain.Messages;
using EventMail.Domain.Reception;
using EventMail.EventStore;
using EventMail.Projections;
using EventMail.Projections.Accounts;
using EventMail.Projections.Mailboxes;
using EventMail.Protocols.MailAuth.Dkim;
using EventMail.Protocols.Smtp.Data;

namespace EventMail.Protocols.Smtp.Reception;

/// <summary>A message that is kept apart until it has been checked, and only then written into the store.</summary>
internal sealed class CheckedMessage(SmtpEnvelope envelope, ReceptionChecks checks, ContentStore contents, MailboxService mailboxes) : ISmtpMessage
{
    private readonly MessageSpool _spool = checks.Spool.Begin();
    private IncomingMessage? _incoming;
    private StagedContent? _content;
    private Arrival _arrival = Arrival.Plain;

    public string? MessageId => _incoming?.MessageId;

    public ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel) => _spool.WriteAsync(bytes, cancel);

    public async ValueTask<SmtpReply?> CompleteAsync(CancellationToken cancel)
    {
        if (_spool.HeaderTooLong)
            return await RefuseAsync(StepResult.Refused("header", SmtpReplies.HeaderTooLong), null, cancel).ConfigureAwait(false);
        var message = new ReceivedMessage(envelope, _spool);
        var result = await checks.RunAsync(message, cancel).ConfigureAwait(false);
        if (result.Disposition == Disposition.Refuse)
            return await RefuseAsync(result, message.Authentication, cancel).ConfigureAwait(false);

        _arrival = new(result.Disposition == Disposition.Junk ? Placement.Junk : Placement.Inbox, message.Authentication);
        _incoming = IncomingMessage.Begin(contents);
        await _incoming.WriteAsync(TraceFields.Write(envelope, reverseName: message.Authentication?.ReverseName, fields: message.Fields), cancel).ConfigureAwait(false);
        await _incoming.WriteAsync(message.EditedHeader, cancel).ConfigureAwait(false);
        await foreach (var piece in message.BodyAsync(cancel).ConfigureAwait(false))
            await _incoming.WriteAsync(piece, cancel).ConfigureAwait(false);
        _content = await _incoming.CompleteAsync(false, cancel).ConfigureAwait(false);
        await _spool.DisposeAsync().ConfigureAwait(false);
        return null;
    }

    public async Task<Rejection?> DeliverAsync(
        IReadOnlyList<LocalRecipient> recipients, QuotaRule rule, string reversePath, Actor actor, string cause, CancellationToken cancel)
    {
        var content = _content ?? throw new InvalidOperationException("The message is not whole.");
        var result = await mailboxes.ReceiveAsync(recipients, content, reversePath, MessageId, rule, actor, cause, cancel, _arrival).ConfigureAwait(false);
        return result.Rejection;
    }

    public async ValueTask DisposeAsync()
    {
        await _spool.DisposeAsync().ConfigureAwait(false);
        if (_incoming is not null)
            await _incoming.DisposeAsync().ConfigureAwait(false);
    }

    // What is refused for good is written down first; who is told to come again will.
    private async ValueTask<SmtpReply> RefuseAsync(StepResult result, Authentication? authentication, CancellationToken cancel)
    {
        var reply = result.Reply ?? SmtpReplies.LocalError;
        if (reply.Code < 500)
            return reply;
        var refusal = new MessageRefused(
            envelope.ReversePath.Mailbox, "", IdOf(_spool.Header), _spool.Size, result.By, reply.Line, authentication);
        await checks.Refusals.NoteAsync(
            [.. envelope.Recipients.SelectMany(recipient => recipient.Locals).DistinctBy(local => local.Account)], refusal, envelope.Actor,
            envelope.Id, cancel).ConfigureAwait(false);
        return reply;
    }

    private static string? IdOf(ReadOnlyMemory<byte> header) =>
        MessageHeader.Read(header, int.MaxValue) is { } fields && fields.Named("message-id") is [var first, ..]
            ? MessageIds.First(new(fields.Value(first).ToArray())) : null;
}
