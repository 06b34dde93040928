namespace EventMail.EventStore;

/// <summary>
/// Takes a content as it arrives: hashes on the way, keeps it in pooled memory up to the threshold, then in a file.
/// Disposing without <see cref="CompleteAsync"/> leaves nothing behind. Not thread-safe.
/// </summary>
public sealed class ContentWriter : IAsyncDisposable
{
    internal ContentWriter() { }

    /// <summary>Bytes written so far.</summary>
    public long Size => throw new NotSupportedException();

    public ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel = default) => throw new NotSupportedException();

    /// <summary>
    /// Ends the content. A large one is then on disk under its final name (fsynced with its folders).
    /// <paramref name="mayExist"/>: the same bytes are likely to be stored already.
    /// </summary>
    public ValueTask<StagedContent> CompleteAsync(bool mayExist = false, CancellationToken cancel = default) => throw new NotSupportedException();

    public ValueTask DisposeAsync() => throw new NotSupportedException();
}
