using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace EventMail.EventStore;

/// <summary>A stored content while it is being read: from memory or from its file. Dispose it to give its buffer back.</summary>
public sealed class Content : IAsyncDisposable
{
    private const int CopySize = 64 * 1024;

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
    public async ValueTask<int> ReadAtAsync(long offset, Memory<byte> buffer, CancellationToken cancel = default)
    {
        if (offset >= Size)
            return 0;
        if (_file is null)
        {
            var count = (int)Math.Min(buffer.Length, Size - offset);
            _bytes.Slice((int)offset, count).CopyTo(buffer);
            return count;
        }
        var read = 0;
        while (read < buffer.Length && await RandomAccess.ReadAsync(_file, buffer[read..], offset + read, cancel) is var count and > 0)
            read += count;
        return read;
    }

    /// <summary>A seekable stream over the content; it does not dispose the content.</summary>
    public Stream OpenRead()
    {
        if (_path is not null)
            return new FileStream(_path, new FileStreamOptions
            {
                Share = FileShare.ReadWrite | FileShare.Delete,
                BufferSize = CopySize,
                Options = FileOptions.Asynchronous | FileOptions.SequentialScan,
            });
        MemoryMarshal.TryGetArray(_bytes, out var segment);
        return new MemoryStream(segment.Array ?? [], segment.Offset, segment.Count, writable: false);
    }

    /// <summary>Copies a range (clipped to the content), flushing as the writer asks; ends early when the reader has gone.</summary>
    public async ValueTask CopyToAsync(PipeWriter writer, long offset, long length, CancellationToken cancel = default)
    {
        var end = offset + Math.Min(length, Size - offset);
        while (offset < end)
        {
            var wanted = (int)Math.Min(end - offset, CopySize);
            if (_file is null)
            {
                // One large segment instead of many of the pipe's small blocks: fewer to send.
                _bytes.Span.Slice((int)offset, wanted).CopyTo(writer.GetSpan(wanted));
                writer.Advance(wanted);
                offset += wanted;
            }
            else
            {
                // The asynchronous read is the same read on another thread of the pool: the way there costs more than the read.
                var read = RandomAccess.Read(_file, writer.GetSpan(wanted)[..wanted], offset);
                if (read == 0)
                    throw new EndOfStreamException($"content {Number}: its file is shorter than {Size} bytes");
                writer.Advance(read);
                offset += read;
            }
            var flushed = await writer.FlushAsync(cancel);
            if (flushed.IsCompleted || flushed.IsCanceled)
                return;
        }
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
