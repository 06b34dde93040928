using System.Buffers;
using System.Text;

namespace EventMail.Domain.Messages;

/// <summary>What of a part a section asks for (RFC 3501 §6.4.5).</summary>
public enum SectionPart : byte
{
    /// <summary>BODY[] or BODY[1.2].</summary>
    Whole,

    /// <summary>BODY[HEADER], BODY[1.HEADER]; HEADER.FIELDS choose from it.</summary>
    Header,

    /// <summary>BODY[TEXT], BODY[1.TEXT].</summary>
    Text,

    /// <summary>BODY[1.MIME].</summary>
    Mime,
}

/// <summary>
/// A compact description of a message's parts, made once per content and kept, so that sections, partial fetches,
/// TOP and SEARCH need no parsing. Immutable, safe for concurrent reading.
/// </summary>
public sealed class PartMap
{
    private PartMap(PartMapNode root) => Root = root;

    /// <summary>The message itself.</summary>
    public PartMapNode Root { get; }

    public static byte[] Write(Message message)
    {
        var output = new ArrayBufferWriter<byte>(64);
        PartMapFormat.Write(output, message.Root);
        return output.WrittenSpan.ToArray();
    }

    /// <exception cref="FormatException">Not written by <see cref="Write"/>, damaged, or of another version.</exception>
    public static PartMap Read(ReadOnlyMemory<byte> map) =>
        TryRead(map.Span, out var result) ? result : throw new FormatException("This is no part map of version " + PartMapFormat.Version + ".");

    /// <summary>False: make the map again from the content.</summary>
    public static bool TryRead(ReadOnlySpan<byte> map, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out PartMap? result)
    {
        result = PartMapFormat.TryRead(map, out var root) ? new PartMap(root) : null;
        return result is not null;
    }

    public static PartMap Of(Message message) => Read(Write(message));

    /// <summary>
    /// Where a section's bytes are in the message. False when the section does not exist, which FETCH answers with NIL.
    /// </summary>
    public bool TryLocate(ReadOnlySpan<int> partNumbers, SectionPart kind, out long offset, out long length)
    {
        offset = length = 0;
        var part = partNumbers.IsEmpty ? Root : Find(partNumbers);
        if (part is null)
            return false;
        var inner = partNumbers.IsEmpty ? part : part.EmbeddedMessage;
        switch (kind)
        {
            case SectionPart.Whole when partNumbers.IsEmpty:
                length = part.HeaderLength + part.BodyLength;
                return true;
            case SectionPart.Whole:
                (offset, length) = (part.BodyOffset, part.BodyLength);
                return true;
            // HEADER and TEXT under a number exist for message/rfc822 only and mean the message inside.
            case SectionPart.Header when inner is not null:
                (offset, length) = (inner.HeaderOffset, inner.HeaderLength);
                return true;
            case SectionPart.Text when inner is not null:
                (offset, length) = (inner.BodyOffset, inner.BodyLength);
                return true;
            case SectionPart.Mime when !partNumbers.IsEmpty:
                (offset, length) = (part.HeaderOffset, part.HeaderLength);
                return true;
            default:
                return false;
        }
    }

    /// <summary>
    /// RFC 3501 §6.4.5: a number chooses a part of a multipart; every other message has one part, number 1, its body;
    /// below a message/rfc822 part the numbers go on in the message inside. As with Dovecot, a part of a multipart that
    /// has no parts itself may also be called its own part 1.
    /// </summary>
    public PartMapNode? Find(ReadOnlySpan<int> partNumbers)
    {
        var part = Root;
        var isMessage = true;
        var isListed = false;
        foreach (var number in partNumbers)
        {
            if (!isMessage && part.EmbeddedMessage is { } inner)
            {
                part = inner;
                isMessage = true;
            }
            if (part.Kind == PartKind.Multipart)
            {
                if (number < 1 || number > part.Parts.Count)
                    return null;
                part = part.Parts[number - 1];
                isListed = true;
            }
            else if (number == 1 && (isMessage || isListed))
            {
                isListed = false;
            }
            else
            {
                return null;
            }
            isMessage = false;
        }
        return part;
    }
}

/// <summary>One part of a <see cref="PartMap"/>. Offsets count from the first byte of the message.</summary>
public sealed class PartMapNode
{
    internal PartMapNode()
    {
    }

    public PartKind Kind { get; internal init; }

    /// <summary>Lower case.</summary>
    public string MediaType { get; internal init; } = "";

    /// <summary>Lower case.</summary>
    public string Subtype { get; internal init; } = "";

    public TransferEncoding TransferEncoding { get; internal init; }

    /// <summary>Lower case, decoded; empty when there is none.</summary>
    public string Charset { get; internal init; } = "";

    public long HeaderOffset { get; internal init; }

    public long HeaderLength { get; internal init; }

    public long BodyOffset => HeaderOffset + HeaderLength;

    public long BodyLength { get; internal init; }

    /// <summary>Whether its body is text that SEARCH looks at. So is a report's, such as message/delivery-status, which is fields and no message.</summary>
    public bool HasText => Kind == PartKind.Text || (Kind == PartKind.Basic && MediaType == "message");

    /// <summary>Parts of a multipart.</summary>
    public IReadOnlyList<PartMapNode> Parts { get; internal set; } = [];

    public PartMapNode? EmbeddedMessage { get; internal set; }
}
