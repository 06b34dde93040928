using System.Buffers;
using System.Runtime.CompilerServices;
using EventMail.Domain.Deliveries;
using EventMail.EventStore;
using EventMail.Protocols.Smtp.Client;

namespace EventMail.Host.Delivery.Attempts;

/// <summary>A submitted message as it goes out.</summary>
internal static class MessageOctets
{
    private const int Piece = 64 * 1024;

    /// <param name="recipients">Positions of those of this transaction.</param>
    public static OutgoingMessage Outgoing(MessageSubmitted message, IReadOnlyList<int> recipients, ContentStore contents) => new()
    {
        Sender = message.Sender,
        Recipients = [.. recipients.Select(position => Outgoing(message.Recipients[position]))],
        Content = cancel => ReadAsync(contents, message, cancel),
        Size = message.Content.Size - message.Skip,
        Body = message.Body,
        SmtpUtf8 = message.SmtpUtf8,
        RequireTls = message.RequireTls,
        EnvelopeId = message.EnvelopeId,
        Return = message.Return,
        DeliverBy = message.DeliverBy,
        Priority = message.Priority,
    };

    // RFC 3461 §5.2.1: what the sender did not say is not said for him.
    private static OutgoingRecipient Outgoing(SubmittedRecipient recipient) => new(
        recipient.Address, recipient.OriginalRecipient, recipient.NotifyGiven || recipient.Notify != NotifyOn.Default ? recipient.Notify : null);

    private static async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(
        ContentStore contents, MessageSubmitted message, [EnumeratorCancellation] CancellationToken cancel)
    {
        await using var content = await contents.ReadAsync(message.Content.Number, cancel);
        if (content.TryGetMemory(out var bytes))
        {
            yield return bytes[message.Skip..];
            yield break;
        }
        var buffer = ArrayPool<byte>.Shared.Rent(Piece);
        try
        {
            for (long offset = message.Skip; offset < content.Size;)
            {
                var read = await content.ReadAtAsync(offset, buffer, cancel);
                if (read == 0)
                    throw new EndOfStreamException($"content {content.Number} is cut off at {offset} of {content.Size} bytes");
                yield return buffer.AsMemory(0, read);
                offset += read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
