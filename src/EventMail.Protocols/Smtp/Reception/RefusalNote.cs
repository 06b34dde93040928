using EventMail.Domain.Messages;
using EventMail.Domain.Reception;
using EventMail.Projections.Accounts;
using EventMail.Projections.Reception;
using EventMail.Protocols.MailAuth.Dkim;

namespace EventMail.Protocols.Smtp.Reception;

/// <summary>The event of a message that does not come in, for each account that it concerns.</summary>
internal sealed class RefusalNote(RefusedMail refusals, ReceivedMessage message, IReadOnlyList<LocalRecipient> recipients)
{
    private SmtpEnvelope Envelope => message.Envelope;

    /// <summary>The same of one that had not begun to arrive when this recipient was refused.</summary>
    public static Task OfRecipientAsync(
        RefusedMail refusals, SmtpEnvelope envelope, StepResult result, SmtpReply reply, IReadOnlyList<LocalRecipient> concerned, CancellationToken cancel) =>
        refusals.NoteAsync(
            concerned,
            new MessageRefused(envelope.ReversePath.Mailbox, "", null, 0, result.By, reply.Line, null, result.Verdict is { } verdict ? [verdict] : null),
            envelope.Actor, envelope.Id, cancel);

    public Task RefusedAsync(string by, SmtpReply reply, CancellationToken cancel) => refusals.NoteAsync(
        recipients,
        new MessageRefused(
            Envelope.ReversePath.Mailbox, "", IdOf(message.Header), message.Size, by, reply.Line, message.Authentication, message.Verdicts),
        Envelope.Actor, Envelope.Id, cancel);

    public Task DiscardedAsync(string by, CancellationToken cancel) => refusals.NoteAsync(
        recipients,
        new MessageDiscarded(Envelope.ReversePath.Mailbox, "", IdOf(message.Header), message.Size, by, message.Authentication, message.Verdicts),
        Envelope.Actor, Envelope.Id, cancel);

    private static string? IdOf(ReadOnlyMemory<byte> header) =>
        MessageHeader.Read(header, int.MaxValue) is { } fields && fields.Named("message-id") is [var first, ..]
            ? MessageIds.First(new(fields.Value(first).ToArray())) : null;
}
