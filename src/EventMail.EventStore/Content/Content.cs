using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace EventMail.EventStore;

/// <summary>A stored content while it is being read: from memory or from its file. Dispose it to give its buffer back.</summary>
public sealed class Content : IAsyncDisposable
{
    private const int StreamBuffer = 64 * 1024;

    private readonly ReadOnlyMemory<byte> _bytes;
    private readonly SafeFileHandle? _file;
    private readonly string? _path;
    private byte[]? _pooled;
    private readonly ContentBuffers? _buffers;

    /// <summary>A content in memory that nobody changes.</summary>
    internal Content(long number, ReadOnlyMemory<byte> bytes) => (Number, Size, _bytes) = (number, bytes.Length, bytes);

    /// <summary>A content in a pooled buffer.</summary>
    internal Content(long number, byte[] pooled, int size, ContentBuffers buffers) =>
        (Number, Size, _bytes, _pooled, _buffers) = (number, size, pooled.AsMemory(0, size), pooled, buffers);

    /// <summary>A content in a file.</summary>
    internal Content(long number, long size, SafeFileHandle file, string path) =>
        (Number, Size, _file, _path) = (number, size, file, path);

    public long Number { get; }

    /// <summary>In bytes.</summary>
    public long Size { get; }

    /// <summary>The whole content, valid until <see cref="DisposeAsync"/>; false for one that lies in a file.</summary>
    public bool TryGetMemory(out ReadOnlyMemory<byte> bytes)
    {
        bytes = _bytes;
        return _file is null;
    }

    /// <summary>Reads at an offset; fewer bytes than the buffer takes only at the end. Thread-safe.</summary>
    public ValueTask<int> ReadAtAsync(long offset, Memory<byte> buffer, CancellationToken cancel = default)
    {
        cancel.ThrowIfCancellationRequested();
        if (offset >= Size)
            return new(0);
        if (_file is null)
        {
            var count = (int)Math.Min(buffer.Length, Size - offset);
            _bytes.Slice((int)offset, count).CopyTo(buffer);
            return new(count);
        }
        // The asynchronous read is the same read on another thread of the pool: the way there costs more than the read.
        var read = 0;
        while (read < buffer.Length && RandomAccess.Read(_file, buffer.Span[read..], offset + read) is var count and > 0)
            read += count;
        return new(read);
    }

    /// <summary>A seekable stream over the content; it does not dispose the content.</summary>
    public Stream OpenRead()
    {
        if (_path is not null)
            return new FileStream(_path, new FileStreamOptions
            {
                Share = FileShare.ReadWrite | FileShare.Delete,
                BufferSize = StreamBuffer,
                Options = FileOptions.Asynchronous | FileOptions.SequentialScan,
            });
        MemoryMarshal.TryGetArray(_bytes, out var segment);
        return new MemoryStream(segment.Array ?? [], segment.Offset, segment.Count, writable: false);
    }

    public ValueTask DisposeAsync()
    {
        _file?.Dispose();
        if (_pooled is not null)
            _buffers!.Return(_pooled);
        _pooled = null;
        return default;
    }
}
