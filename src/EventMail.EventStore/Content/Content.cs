using System.IO.Pipelines;

namespace EventMail.EventStore;

/// <summary>A stored content while it is being read: from memory or from its file. Dispose it to give its buffer back.</summary>
public sealed class Content : IAsyncDisposable
{
    internal Content(long number, long size)
    {
        Number = number;
        Size = size;
    }

    public long Number { get; }

    /// <summary>In bytes.</summary>
    public long Size { get; }

    /// <summary>The whole content, valid until <see cref="DisposeAsync"/>; false for one that lies in a file.</summary>
    public bool TryGetMemory(out ReadOnlyMemory<byte> bytes) => throw new NotSupportedException();

    /// <summary>Reads at an offset; fewer bytes than the buffer takes only at the end. Thread-safe.</summary>
    public ValueTask<int> ReadAtAsync(long offset, Memory<byte> buffer, CancellationToken cancel = default) => throw new NotSupportedException();

    /// <summary>A seekable stream over the content; it does not dispose the content.</summary>
    public Stream OpenRead() => throw new NotSupportedException();

    /// <summary>Copies a range (clipped to the content), flushing as the writer asks.</summary>
    public ValueTask CopyToAsync(PipeWriter writer, long offset, long length, CancellationToken cancel = default) => throw new NotSupportedException();

    public ValueTask DisposeAsync() => throw new NotSupportedException();
}
