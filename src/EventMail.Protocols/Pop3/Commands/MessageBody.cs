using System.Buffers;
using EventMail.EventStore;
using EventMail.Protocols.Wire;

namespace EventMail.Protocols.Pop3.Commands;

/// <summary>What RETR and TOP share: reading a message and sending it as dot-stuffed lines.</summary>
internal static class MessageBody
{
    private const int PieceSize = 64 * 1024;

    /// <summary>Null when the message cannot be had; the client has been told.</summary>
    public static async ValueTask<Content?> OpenAsync(Pop3Session session, int index)
    {
        if (session.RefusesForUtf8(session.Maildrop!.View[index].Content))
        {
            return null;
        }

        session.Services.Reads?.Note(session.Maildrop!.Mailbox, session.Maildrop.View[index].Uid, session.Actor);
        try
        {
            return await session.Retrieval.ReadAsync(session.Maildrop!.View, index, session.Deleted, CancellationToken.None);
        }
        catch (ContentUnreadableException error)
        {
            session.Log.CommandFailed(error);
            session.Err(error switch
            {
                ContentMissingException => "[SYS/PERM] The message is no longer stored",
                ContentLockedException => "[SYS/TEMP] The message's key is missing",
                _ => "[SYS/PERM] The message is damaged",
            });
            return null;
        }
    }

    /// <summary>Sends the lines that follow a reply's first one, and its end.</summary>
    /// <param name="bodyLines">TOP's number of lines; null for all.</param>
    /// <returns>The octets sent, as the client counts them.</returns>
    public static async ValueTask<long> SendAsync(Pop3Session session, Content content, long? bodyLines = null)
    {
        var lines = new DotStuffer();
        var top = new TopScanner(bodyLines ?? 0);
        var offset = 0L;
        if (session.Maildrop!.NeedsSurrogate(content.Number))
        {
            var (header, length) = await Surrogate.ReadAsync(content);
            lines.Write(session.Output, header.Span[..(bodyLines is null ? header.Length : top.Take(header.Span))]);
            offset = length;
        }

        var inMemory = content.TryGetMemory(out var memory);
        var buffer = inMemory ? null : ArrayPool<byte>.Shared.Rent(PieceSize);
        try
        {
            while (offset < content.Size && !top.IsDone)
            {
                var piece = inMemory
                    ? memory.Slice((int)offset, Math.Min(PieceSize, memory.Length - (int)offset))
                    : buffer.AsMemory(0, await content.ReadAtAsync(offset, buffer.AsMemory(0, PieceSize)));
                if (piece.IsEmpty)
                {
                    throw new EndOfStreamException($"content {content.Number} ends at {offset} of {content.Size} octets");
                }

                var wanted = bodyLines is null ? piece.Length : top.Take(piece.Span);
                lines.Write(session.Output, piece.Span[..wanted]);
                offset += piece.Length;
                if (!await session.FlushIfMuchAsync())
                {
                    // The client is gone; the next read says so.
                    break;
                }
            }

            lines.End(session.Output);
            session.EndMessage(lines.Octets);
            return lines.Octets;
        }
        finally
        {
            if (buffer is not null)
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }
    }
}
