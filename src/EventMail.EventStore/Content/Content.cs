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
    private readonly ContentFile? _sealed;
    private readonly SealedFile? _opened;
    private byte[]? _pooled;
    private readonly ContentBuffers? _buffers;

    /// <summary>A content in memory that nobody changes.</summary>
    internal Content(long number, ReadOnlyMemory<byte> bytes) => (Number, Size, _bytes) = (number, bytes.Length, bytes);

    /// <summary>A content in a pooled buffer.</summary>
    internal Content(long number, byte[] pooled, int size, ContentBuffers buffers) =>
        (Number, Size, _bytes, _pooled, _buffers) = (number, size, pooled.AsMemory(0, size), pooled, buffers);

    /// <summary>A content in a file.</summary>
    internal Content(ContentFile content, SafeFileHandle file, string path, ContentBuffers buffers)
    {
        (Number, Size, _path, _buffers) = (content.Number, content.Size, path, buffers);
        if (content.Key is null)
            _file = file;
        else
            (_sealed, _opened) = (content, new(content, file, buffers));
    }

    public long Number { get; }

    /// <summary>In bytes.</summary>
    public long Size { get; }

    /// <summary>The whole content, valid until <see cref="DisposeAsync"/>; false for one that lies in a file.</summary>
    public bool TryGetMemory(out ReadOnlyMemory<byte> bytes)
    {
        bytes = _bytes;
        return _path is null;
    }

    /// <summary>Reads at an offset; fewer bytes than the buffer takes only at the end. Thread-safe.</summary>
    public ValueTask<int> ReadAtAsync(long offset, Memory<byte> buffer, CancellationToken cancel = default)
    {
        cancel.ThrowIfCancellationRequested();
        if (offset >= Size)
            return new(0);
        // The asynchronous read is the same read on another thread of the pool: the way there costs more than the read.
        if (_opened is not null)
            return new(_opened.ReadAt(offset, buffer.Span));
        if (_file is null)
        {
            var count = (int)Math.Min(buffer.Length, Size - offset);
            _bytes.Slice((int)offset, count).CopyTo(buffer);
            return new(count);
        }
        var read = 0;
        while (read < buffer.Length && RandomAccess.Read(_file, buffer.Span[read..], offset + read) is var count and > 0)
            read += count;
        return new(read);
    }

    /// <summary>A seekable stream over the content; it does not dispose the content.</summary>
    public Stream OpenRead()
    {
        if (_sealed is not null)
            return new SealedStream(new(_sealed, ContentFiles.Open(_path!), _buffers!), Size);
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
        _opened?.Dispose();
        if (_pooled is not null)
            _buffers!.Return(_pooled);
        _pooled = null;
        return default;
    }
}
