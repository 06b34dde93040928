using System.Buffers;
using EventMail.Domain.Messages;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;

namespace EventMail.Protocols.Imap.Searching;

/// <summary>One message while message keys look at it.</summary>
internal sealed class SearchedMessage(MessageSummary summary, ReadOnlyMemory<byte>? content)
{
    private PartMap? _parts;

    public MessageSummary Summary => summary;

    public PartMap Parts => _parts ??= summary.Parts;

    /// <summary>There for keys of <see cref="SearchCost.Content"/>.</summary>
    public ReadOnlySpan<byte> Content => content!.Value.Span;

    /// <summary>The fields of the message's header, or those that are kept with its summary when they will do.</summary>
    public ReadOnlySpan<byte> Header(bool cachedWillDo) =>
        content is { } bytes ? bytes.Span[..(int)Math.Min(bytes.Length, Parts.Root.HeaderLength)]
        : cachedWillDo && summary.HeaderLines is { } lines ? lines.Span
        : throw new InvalidOperationException("The message was not read.");

    /// <summary>A content's octets in one piece: as they are in memory, or read from the file into a rented buffer.</summary>
    public static async ValueTask<(ReadOnlyMemory<byte> Bytes, byte[]? Rented)> BytesAsync(Content content, CancellationToken cancel)
    {
        if (content.TryGetMemory(out var bytes))
            return (bytes, null);
        var rented = ArrayPool<byte>.Shared.Rent((int)content.Size);
        var length = 0;
        while (length < content.Size)
        {
            var read = await content.ReadAtAsync(length, rented.AsMemory(length, (int)content.Size - length), cancel).ConfigureAwait(false);
            if (read == 0)
                break;
            length += read;
        }

        return (rented.AsMemory(0, length), rented);
    }
}
