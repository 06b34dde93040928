using System.Buffers;
using EventMail.Domain.Messages;
using EventMail.EventStore;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Fetching;

/// <summary>
/// Sends a section without its Content-Transfer-Encoding (RFC 3516 §4.3). A literal names its length first: what is larger than a
/// piece is decoded twice, and never held whole.
/// </summary>
internal static class BinarySection
{
    private const int Piece = 64 * 1024;

    /// <summary>Octets after decoding.</summary>
    public static async ValueTask<long> SizeAsync(Content content, BinaryPart part, CancellationToken cancel)
    {
        if (part.IsIdentity)
            return part.Length;
        var size = 0L;
        await ForEachAsync(content, part, 0, long.MaxValue, octets =>
        {
            size += octets.Length;
            return default;
        }, cancel).ConfigureAwait(false);
        return size;
    }

    /// <summary>literal, or literal8 when there is a NUL in it.</summary>
    /// <param name="section">Its partial counts decoded octets.</param>
    public static async ValueTask WriteAsync(ImapWriter writer, Content content, BinaryPart part, SectionSpec section, CancellationToken cancel)
    {
        var (size, hasNul) = (0L, false);
        var kept = default(ReadOnlyMemory<byte>);
        await ForEachAsync(content, part, section.Offset, section.Length, octets =>
        {
            size += octets.Length;
            hasNul |= octets.Span.Contains((byte)0);
            kept = octets;
            return default;
        }, cancel).ConfigureAwait(false);
        if (hasNul)
            writer.Byte((byte)'~');
        writer.LiteralHeader(size);
        // One piece only: it is still there, in memory that nobody has used again.
        if (part.Length <= Piece)
        {
            writer.Raw(kept.Span);
            return;
        }

        await ForEachAsync(content, part, section.Offset, section.Length, async octets =>
        {
            writer.Raw(octets.Span);
            await writer.FlushIfFullAsync().ConfigureAwait(false);
        }, cancel).ConfigureAwait(false);
    }

    /// <summary>Gives decoded octets from an offset on, piece by piece.</summary>
    private static async ValueTask ForEachAsync(
        Content content, BinaryPart part, long skip, long left, Func<ReadOnlyMemory<byte>, ValueTask> take, CancellationToken cancel)
    {
        var decoder = new TransferDecoder(part.Encoding);
        var output = part.IsIdentity ? null : new ArrayBufferWriter<byte>();
        var buffer = content.TryGetMemory(out var memory) ? null : new byte[(int)Math.Min(part.Length, Piece)];
        for (var at = 0L; at < part.Length && left > 0;)
        {
            ReadOnlyMemory<byte> octets;
            if (part.IsIdentity && skip > 0)
            {
                // Nothing is decoded: what is not wanted need not be read.
                at += Math.Min(skip, part.Length);
                skip = 0;
                continue;
            }

            var length = (int)Math.Min(part.Length - at, Piece);
            if (buffer is null)
            {
                octets = memory.Slice((int)(part.Offset + at), length);
            }
            else
            {
                length = await content.ReadAtAsync(part.Offset + at, buffer.AsMemory(0, length), cancel).ConfigureAwait(false);
                octets = buffer.AsMemory(0, length);
            }

            if (length == 0)
                throw new EndOfStreamException($"content {content.Number} ends early");
            at += length;
            if (output is not null)
            {
                output.ResetWrittenCount();
                decoder.Decode(octets.Span, output);
                if (at == part.Length)
                    decoder.Finish(output);
                octets = output.WrittenMemory;
            }

            var skipped = (int)Math.Min(skip, octets.Length);
            octets = octets[skipped..];
            skip -= skipped;
            octets = octets[..(int)Math.Min(left, octets.Length)];
            left -= octets.Length;
            if (!octets.IsEmpty)
                await take(octets).ConfigureAwait(false);
        }
    }
}
