namespace EventMail.EventStore;

/// <summary>A content that is written but not yet durable: a command's <see cref="Decision.Store"/> makes it so.</summary>
public sealed class StagedContent
{
    // As it was staged: what is stored in its place may be gone by the time of the commit.
    private readonly ContentFile? _written;
    private readonly long _number;
    private byte[]? _row;
    private WrappedKey? _key;

    internal StagedContent(long number, byte[] digest, byte[] bytes, bool mayExist, byte[] row, WrappedKey? key)
    {
        (Number, Digest, Size, Bytes, MayExist) = (number, digest, bytes.Length, bytes, mayExist);
        (Row, Key) = (row, key);
        (_number, _row, _key) = (number, row, key);
    }

    internal StagedContent(ContentFile file, string path, bool mayExist, WrappedKey? key)
    {
        (Number, Digest, Size, MayExist) = (file.Number, file.Digest, file.Size, mayExist);
        (File, Path, Key) = (file, path, key);
        (_written, _number, _key) = (file, file.Number, key);
    }

    /// <summary>eventmail.content.data: null for a file.</summary>
    internal byte[]? Row { get; private set; }

    /// <summary>The content's own key, wrapped; null for one that is stored plain.</summary>
    internal WrappedKey? Key { get; private set; }

    /// <summary>The file of a large content; null for a small one.</summary>
    internal ContentFile? File { get; private set; }

    /// <summary>Its own file, when another turned out to be stored instead.</summary>
    internal string? NeedlessFile => _written is { Key: not null } && _written.Number != Number ? Path : null;

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
    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>
    /// The file that a large content was written to, complete and fsynced, encrypted or not; null for a small one. What it holds is read by
    /// <see cref="ContentStore.Open(StagedContent)"/>.
    /// </summary>
    public string? Path { get; }

    /// <summary>The same bytes are likely to be stored already (IMAP APPEND): looked up before the command decides.</summary>
    public bool MayExist { get; }

    /// <summary>True when the digest was found to be stored already: there is nothing to insert.</summary>
    public bool Exists { get; internal set; }

    /// <summary>The same bytes came in another content before: this one is that one from now on.</summary>
    internal void Become(StagedContent first)
    {
        (Number, Exists) = (first.Number, first.Exists);
        (Row, Key, File) = (first.Row, first.Key, first.File);
    }

    /// <summary>What was stored in its place is there no more: it is to be stored itself.</summary>
    /// <exception cref="ContentMissingException">Its own file was given up for the other.</exception>
    internal void BecomeItself()
    {
        if (_written is not null && !System.IO.File.Exists(Path))
            throw new ContentMissingException(Number);
        (Number, Exists) = (_number, false);
        (Row, Key, File) = (_row, _key, _written);
    }

    /// <summary>Its own key is wrapped by a key that is retired: it gets another. Not while it stands for another content.</summary>
    internal void WrapAnew(ContentStore store)
    {
        if (_written is { Key: { } key })
        {
            _key = store.Keys.Wrap(_number, key);
        }
        else
        {
            var again = store.Stage(_number, Bytes.ToArray(), MayExist);
            (_row, _key) = (again.Row, again.Key);
        }
        BecomeItself();
    }

    /// <summary>What the owner derived from the content on its way in (a parsed message), for the projections of the same commit.</summary>
    public object? Annotation { get; set; }
}
