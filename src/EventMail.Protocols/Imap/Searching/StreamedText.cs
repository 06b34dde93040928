using System.Buffers;
using EventMail.Domain.Messages;
using EventMail.EventStore;

namespace EventMail.Protocols.Imap.Searching;

/// <summary>
/// TEXT and BODY over a content that lies in a file: what <see cref="DecodedText.Contains"/> does, with one header or one piece of a
/// part in memory at a time.
/// </summary>
internal sealed class StreamedText(Content content, TextMatcher matcher, bool inHeader)
{
    private readonly DecodedTextSink _sink = DecodedText.Into(matcher, inHeader);

    public static async ValueTask<bool> ContainsAsync(PartMap parts, Content content, TextKey key, CancellationToken cancel)
    {
        var matcher = new TextMatcher(key.Needle);
        await new StreamedText(content, matcher, key.InHeader).ForEachAsync(parts.Root, DecodedTextKind.Header, cancel).ConfigureAwait(false);
        return matcher.Matched;
    }

    // False when the text was found.
    private async ValueTask<bool> ForEachAsync(PartMapNode part, DecodedTextKind headerKind, CancellationToken cancel)
    {
        using (var header = await HeaderOctets.ReadAsync(content, part.HeaderOffset, part.HeaderLength, cancel).ConfigureAwait(false))
        {
            if (!DecodedText.ForEachField(header.Span, _sink, headerKind))
                return false;
        }

        if (part.HasText && !await ForEachPieceAsync(part, cancel).ConfigureAwait(false))
            return false;
        foreach (var child in part.Parts)
        {
            if (!await ForEachAsync(child, DecodedTextKind.PartHeader, cancel).ConfigureAwait(false))
                return false;
        }

        return part.EmbeddedMessage is null
            || await ForEachAsync(part.EmbeddedMessage, DecodedTextKind.PartHeader, cancel).ConfigureAwait(false);
    }

    private async ValueTask<bool> ForEachPieceAsync(PartMapNode part, CancellationToken cancel)
    {
        var decoder = new TextPartDecoder(part);
        var piece = ArrayPool<byte>.Shared.Rent(DecodedText.PieceLength);
        try
        {
            for (var at = 0L; at < part.BodyLength;)
            {
                var wanted = (int)Math.Min(DecodedText.PieceLength, part.BodyLength - at);
                var read = await content.ReadAtAsync(part.BodyOffset + at, piece.AsMemory(0, wanted), cancel).ConfigureAwait(false);
                if (read == 0)
                    break;
                if (!decoder.Feed(piece.AsSpan(0, read), _sink))
                    return false;
                at += read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }

        return decoder.Finish(_sink) && _sink(DecodedText.PartEnd, DecodedTextKind.Body);
    }
}
