using System.Buffers;
using EventMail.Domain.Messages;
using EventMail.EventStore;

namespace EventMail.Projections.SearchText;

/// <summary>
/// The searchable text of a content, wherever it lies: what <see cref="DecodedText"/> gives of one in memory; of one in a file with a
/// header or a piece of a part in memory at a time.
/// </summary>
public static class ContentText
{
    /// <summary>Octets of one header of a content in a file that are looked at: as much as the MIME reader keeps.</summary>
    private static readonly int MaxHeader = MessageLimits.Default.MaxHeaderBytes;

    /// <summary>False when the sink had enough.</summary>
    public static ValueTask<bool> ForEachAsync(PartMap parts, Content content, DecodedTextSink sink, CancellationToken cancel) =>
        content.TryGetMemory(out var bytes)
            ? new(DecodedText.ForEach(parts, bytes.Span, sink))
            : ForEachAsync(parts.Root, DecodedTextKind.Header, content, sink, cancel);

    private static async ValueTask<bool> ForEachAsync(
        PartMapNode part, DecodedTextKind headerKind, Content content, DecodedTextSink sink, CancellationToken cancel)
    {
        if (!await ForEachFieldAsync(part, headerKind, content, sink, cancel).ConfigureAwait(false))
            return false;
        if (part.HasText)
        {
            foreach (var form in DecodedText.FormsOf(part))
            {
                if (!await ForEachPieceAsync(part, form, content, sink, cancel).ConfigureAwait(false))
                    return false;
            }
        }
        foreach (var child in part.Parts)
        {
            if (!await ForEachAsync(child, DecodedTextKind.PartHeader, content, sink, cancel).ConfigureAwait(false))
                return false;
        }
        return part.EmbeddedMessage is null
            || await ForEachAsync(part.EmbeddedMessage, DecodedTextKind.PartHeader, content, sink, cancel).ConfigureAwait(false);
    }

    private static async ValueTask<bool> ForEachFieldAsync(
        PartMapNode part, DecodedTextKind kind, Content content, DecodedTextSink sink, CancellationToken cancel)
    {
        var wanted = (int)Math.Min(part.HeaderLength, MaxHeader);
        var rented = ArrayPool<byte>.Shared.Rent(wanted);
        try
        {
            var length = await content.ReadAtAsync(part.HeaderOffset, rented.AsMemory(0, wanted), cancel).ConfigureAwait(false);
            // Whole lines only.
            if (length < part.HeaderLength)
                length = rented.AsSpan(0, length).LastIndexOf((byte)'\n') + 1;
            return DecodedText.ForEachField(rented.AsSpan(0, length), sink, kind);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private static async ValueTask<bool> ForEachPieceAsync(
        PartMapNode part, TextForm form, Content content, DecodedTextSink sink, CancellationToken cancel)
    {
        var decoder = new TextPartDecoder(part, form);
        var piece = ArrayPool<byte>.Shared.Rent(DecodedText.PieceLength);
        try
        {
            for (var at = 0L; at < part.BodyLength;)
            {
                var wanted = (int)Math.Min(DecodedText.PieceLength, part.BodyLength - at);
                var read = await content.ReadAtAsync(part.BodyOffset + at, piece.AsMemory(0, wanted), cancel).ConfigureAwait(false);
                if (read == 0)
                    break;
                if (!decoder.Feed(piece.AsSpan(0, read), sink))
                    return false;
                at += read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }
        return decoder.Finish(sink) && sink(DecodedText.PartEnd, DecodedTextKind.Body);
    }
}
