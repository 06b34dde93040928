using System.Buffers;

namespace EventMail.Protocols.Smtp.Client;

/// <summary>
/// The message itself, behind its envelope: streamed as dot-stuffed lines, or in chunks. Its end is sent only when the whole message
/// was there and the host has not spoken against it.
/// </summary>
internal sealed class MessageTransfer(SmtpClient client, OutgoingMessage message)
{
    private const int Block = 64 * 1024;

    // With a reply in hand, or a connection that failed, nothing is worth a long wait.
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(5);

    private ClientWire Wire => client.Wire;

    /// <summary>
    /// The end of the message may have left: unless a reply says otherwise, nobody knows whether it was taken.
    /// </summary>
    public bool IsEndSent { get; private set; }

    /// <summary>Behind the 354.</summary>
    /// <returns>The reply to the message, or to a part of it.</returns>
    public async Task<RemoteReply> SendDataAsync(CancellationToken cancel)
    {
        var lines = new MessageLines(stuffed: true);
        var octets = 0L;
        await foreach (var piece in message.Content(cancel).ConfigureAwait(false))
        {
            octets += piece.Length;
            for (var rest = piece; !rest.IsEmpty;)
            {
                var part = rest[..Math.Min(Block, rest.Length)];
                rest = rest[part.Length..];
                lines.Write(Wire.Output, part.Span);
                if (Wire.Output.WrittenCount >= Block && await FlushBlockAsync().ConfigureAwait(false) is { } refusal)
                {
                    return refusal;
                }
            }
        }

        CheckSize(octets);
        lines.End(Wire.Output);
        return await EndAsync(Wire.TakeOutput()).ConfigureAwait(false);
    }

    /// <summary>BDAT (RFC 3030 §2): the envelope was accepted.</summary>
    public async Task<RemoteReply> SendChunksAsync(CancellationToken cancel)
    {
        var limit = Wire.Limits.Chunk;
        var chunk = new ChunkBuffer((int)Math.Min(limit, message.Size));
        var lines = new MessageLines(stuffed: false);
        var isBinary = DeliveryRequirements.IsBinary(message);
        var (octets, unanswered) = (0L, 0);
        await foreach (var piece in message.Content(cancel).ConfigureAwait(false))
        {
            octets += piece.Length;
            for (var rest = piece; !rest.IsEmpty;)
            {
                if (chunk.Count >= limit)
                {
                    var sent = await Wire.SendAsync(chunk.Framed(isLast: false), client.Timeouts.DataBlock).ConfigureAwait(false);
                    chunk.Clear();
                    unanswered++;
                    // One chunk is under way while the one before is answered: the line is never idle, and little is sent for nothing.
                    for (var keep = sent && client.Extensions.Pipelining ? 1 : 0; unanswered > keep; unanswered--)
                    {
                        if (await ChunkReplyAsync(sent).ConfigureAwait(false) is { } refusal)
                        {
                            return await SettleAsync(refusal, unanswered - 1).ConfigureAwait(false);
                        }
                    }
                }

                var part = rest[..Math.Min(limit - chunk.Count, rest.Length)];
                rest = rest[part.Length..];
                if (isBinary)
                {
                    chunk.Output.Write(part.Span);
                }
                else
                {
                    lines.Write(chunk.Output, part.Span);
                }
            }
        }

        CheckSize(octets);
        for (; unanswered > 0; unanswered--)
        {
            if (await ChunkReplyAsync(sent: true).ConfigureAwait(false) is { } refusal)
            {
                return await SettleAsync(refusal, unanswered - 1).ConfigureAwait(false);
            }
        }

        lines.End(chunk.Output);
        return await EndAsync(chunk.Framed(isLast: true)).ConfigureAwait(false);
    }

    // Null: go on.
    private async ValueTask<RemoteReply?> FlushBlockAsync()
    {
        if (Wire.HasInput)
        {
            return await EarlyReplyAsync().ConfigureAwait(false);
        }

        return await Wire.FlushAsync(client.Timeouts.DataBlock).ConfigureAwait(false) ? null : await EarlyReplyAsync().ConfigureAwait(false);
    }

    // A host that refuses in the middle of a message has not taken it, and there is no way back to commands but a new connection.
    private async ValueTask<RemoteReply> EarlyReplyAsync()
    {
        var reply = await Wire.ReadAsync(LastWords).ConfigureAwait(false);
        reply = reply.Code is > 0 and < 400 ? Verdict.OutOfPlace(reply, "a part of the message") : reply;
        Wire.End(reply);
        return reply;
    }

    private async ValueTask<RemoteReply?> ChunkReplyAsync(bool sent)
    {
        var reply = await Wire.ReadAsync(sent ? client.Timeouts.DataBlock : LastWords).ConfigureAwait(false);
        return reply.IsPositive ? null : reply.IsIntermediate ? Wire.End(Verdict.OutOfPlace(reply, "BDAT")) : reply;
    }

    // RFC 3030 §2: behind a refused chunk nothing but RSET makes sense; what was sent behind it is answered all the same.
    private async ValueTask<RemoteReply> SettleAsync(RemoteReply refusal, int unanswered)
    {
        client.NeedsReset = true;
        for (; unanswered > 0 && Wire.Fault is null; unanswered--)
        {
            await Wire.ReadAsync(client.Timeouts.DataBlock).ConfigureAwait(false);
        }

        return refusal;
    }

    private async ValueTask<RemoteReply> EndAsync(ReadOnlyMemory<byte> end)
    {
        if (Wire.HasInput)
        {
            return await EarlyReplyAsync().ConfigureAwait(false);
        }

        IsEndSent = true;
        // Whoever has the whole message may deliver it: to cut it off now would make duplicates.
        Wire.Bound(null);
        var sent = await Wire.SendAsync(end, client.Timeouts.DataBlock).ConfigureAwait(false);
        return await Wire.ReadAsync(sent ? client.Timeouts.DataTermination : LastWords).ConfigureAwait(false);
    }

    // A message that was cut off by a fault of ours must not end as if it were whole.
    private void CheckSize(long octets)
    {
        if (octets != message.Size)
        {
            throw new EndOfStreamException($"The message has {octets} octets instead of {message.Size}");
        }
    }
}
