using System.Buffers;
using EventMail.Domain.Messages;
using EventMail.EventStore;

namespace EventMail.Host.Http.Capture;

/// <summary>The octets of a part without its transfer encoding, a piece at a time: memory does not grow with the message.</summary>
internal static class PartContent
{
    private const int Piece = 64 * 1024;

    public static async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(Content content, MessagePart part)
    {
        var decoder = new TransferDecoder(part.TransferEncoding);
        var decoded = new ArrayBufferWriter<byte>(Piece);
        var buffer = ArrayPool<byte>.Shared.Rent(Piece);
        try
        {
            for (var at = 0L; at < part.BodyLength;)
            {
                var read = await content.ReadAtAsync(part.BodyOffset + at, buffer.AsMemory(0, (int)Math.Min(Piece, part.BodyLength - at)));
                if (read == 0)
                    break;
                at += read;
                decoded.ResetWrittenCount();
                decoder.Decode(buffer.AsSpan(0, read), decoded);
                if (decoded.WrittenCount > 0)
                    yield return decoded.WrittenMemory;
            }
            decoded.ResetWrittenCount();
            decoder.Finish(decoded);
            if (decoded.WrittenCount > 0)
                yield return decoded.WrittenMemory;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    public static async Task<long> SizeAsync(Content content, MessagePart part)
    {
        // What is stored as it is need not be read.
        if (part.TransferEncoding is not (TransferEncoding.Base64 or TransferEncoding.QuotedPrintable))
            return part.BodyLength;
        var size = 0L;
        await foreach (var piece in ReadAsync(content, part))
            size += piece.Length;
        return size;
    }

    /// <summary>Its text, up to a number of octets.</summary>
    public static async Task<(string Text, bool Cut)> TextAsync(Content content, MessagePart part, long most)
    {
        var octets = new ArrayBufferWriter<byte>();
        var cut = false;
        await foreach (var piece in ReadAsync(content, part))
        {
            var room = (int)Math.Min(piece.Length, most - octets.WrittenCount);
            octets.Write(piece.Span[..room]);
            cut = room < piece.Length;
            if (cut)
                break;
        }
        var charset = part.Charset is { } name ? Charsets.Find(name) : null;
        return ((charset ?? Charsets.Utf8OrLatin1).GetString(octets.WrittenSpan), cut);
    }
}
