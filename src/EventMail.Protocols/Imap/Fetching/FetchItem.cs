using EventMail.Domain.Messages;

namespace EventMail.Protocols.Imap.Fetching;

internal enum FetchKind : byte
{
    Uid,
    Flags,
    InternalDate,
    Size,

    /// <summary>RFC 7162 §3.1.4.2.</summary>
    ModSeq,

    /// <summary>RFC 8514.</summary>
    SaveDate,

    /// <summary>RFC 8474 §5.3.</summary>
    EmailId,
    ThreadId,

    // What follows is a message's: not traced.
    Envelope,
    Body,
    BodyStructure,
    Section,

    /// <summary>BINARY[…] (RFC 3516): a section without its Content-Transfer-Encoding.</summary>
    Binary,

    /// <summary>BINARY.SIZE[…]</summary>
    BinarySize,

    /// <summary>RFC 8970</summary>
    Preview,
}

/// <summary>One data item of a FETCH (RFC 3501 §6.4.5).</summary>
/// <param name="Label">How the response names it, "BODY[1.MIME]&lt;0&gt;".</param>
internal sealed record FetchItem(FetchKind Kind, byte[] Label)
{
    /// <summary>Of a <see cref="FetchKind.Section"/> and of BINARY.</summary>
    public SectionSpec? Section { get; init; }

    /// <summary>BODY[…] without .PEEK: reading it is seeing the message.</summary>
    public bool SetsSeen { get; init; }

    /// <summary>PREVIEW (LAZY): NIL where it would have to be made first (RFC 8970 §4.1).</summary>
    public bool IsLazy { get; init; }

    /// <summary>The section is sent without its Content-Transfer-Encoding.</summary>
    public bool IsDecoded => Kind is FetchKind.Binary or FetchKind.BinarySize;

    // Identical items need not be answered twice.
    public bool IsSameAs(FetchItem other) => Kind == other.Kind && Label.AsSpan().SequenceEqual(other.Label) && Section?.Length == other.Section?.Length;
}

/// <summary>section-spec with its partial (RFC 3501 §9).</summary>
/// <param name="PartNumbers">Empty for the message itself.</param>
/// <param name="Fields">HEADER.FIELDS and HEADER.FIELDS.NOT; null for whole sections.</param>
internal sealed record SectionSpec(int[] PartNumbers, SectionPart Part, IReadOnlyList<ReadOnlyMemory<byte>>? Fields, bool FieldsNot)
{
    /// <summary>Of the partial: where it begins.</summary>
    public long Offset { get; init; }

    /// <summary>Of the partial: at most so many octets.</summary>
    public long Length { get; init; } = long.MaxValue;

    /// <summary>BODY[]: no part map is needed to find it.</summary>
    public bool IsWholeMessage => PartNumbers.Length == 0 && Part == SectionPart.Whole;

    /// <summary>The part of a section's octets that the partial asks for.</summary>
    public (long Offset, long Length) Clip(long length)
    {
        var offset = Math.Min(Offset, length);
        return (offset, Math.Min(Length, length - offset));
    }
}
