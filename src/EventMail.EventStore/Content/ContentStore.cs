namespace EventMail.EventStore;

/// <summary>Contents, once per SHA-256 digest: small ones in eventmail.content, large ones in files. Thread-safe.</summary>
public sealed class ContentStore : IAsyncDisposable
{
    internal ContentStore() { }

    public ContentWriter Begin() => throw new NotSupportedException();

    /// <summary>Stages bytes that are in memory already. They are copied.</summary>
    public ValueTask<StagedContent> StageAsync(ReadOnlyMemory<byte> bytes, bool mayExist = false, CancellationToken cancel = default) =>
        throw new NotSupportedException();

    /// <exception cref="ContentMissingException">There is no such content.</exception>
    public ValueTask<Content> ReadAsync(long number, CancellationToken cancel = default) => throw new NotSupportedException();

    /// <summary>Reads many in the order given, each to be disposed before the next is asked for; memory stays bounded.</summary>
    /// <exception cref="ContentMissingException">One of them is missing.</exception>
    public IAsyncEnumerable<Content> ReadManyAsync(IReadOnlyList<long> numbers, CancellationToken cancel = default) => throw new NotSupportedException();

    /// <summary>The SHA-256 of a content (32 bytes).</summary>
    /// <exception cref="ContentMissingException">There is no such content.</exception>
    public ValueTask<byte[]> DigestAsync(long number, CancellationToken cancel = default) => throw new NotSupportedException();

    public ValueTask DisposeAsync() => throw new NotSupportedException();
}
