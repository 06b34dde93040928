namespace EventMail.EventStore;

/// <summary>A content that is written but not yet durable: a command's <see cref="Decision.Store"/> makes it so.</summary>
public sealed class StagedContent
{
    internal StagedContent(long number, byte[] digest, long size, byte[]? bytes, string? path, bool mayExist)
    {
        Number = number;
        Digest = digest;
        Size = size;
        Row = bytes;
        Path = path;
        MayExist = mayExist;
    }

    /// <summary>eventmail.content.data: null for a file.</summary>
    internal byte[]? Row { get; }

    /// <summary>
    /// The content's surrogate number. When the digest turns out to be stored already, the committer replaces it by the existing
    /// number before the command decides: read it in Decide, not earlier.
    /// </summary>
    public long Number { get; internal set; }

    /// <summary>SHA-256, 32 bytes.</summary>
    public byte[] Digest { get; }

    public string DigestHex => Convert.ToHexStringLower(Digest);

    /// <summary>In bytes.</summary>
    public long Size { get; }

    /// <summary>The whole content when it is small (<see cref="Path"/> is null), else empty.</summary>
    public ReadOnlyMemory<byte> Bytes => Row;

    /// <summary>The file that holds a large content, complete and fsynced; null for a small one.</summary>
    public string? Path { get; }

    /// <summary>The same bytes are likely to be stored already (IMAP APPEND): looked up before the command decides.</summary>
    public bool MayExist { get; }

    /// <summary>True when the digest was found to be stored already: there is nothing to insert.</summary>
    public bool Exists { get; internal set; }

    /// <summary>What the owner derived from the content on its way in (a parsed message), for the projections of the same commit.</summary>
    public object? Annotation { get; set; }
}
