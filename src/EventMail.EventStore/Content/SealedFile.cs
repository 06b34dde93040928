using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace EventMail.EventStore;

/// <summary>
/// An encrypted file while it is being read, at any place. The chunk read last is kept, so that who reads on in small steps decrypts each
/// once. Thread-safe.
/// </summary>
internal sealed class SealedFile(ContentFile content, SafeFileHandle file, ContentBuffers buffers) : IDisposable
{
    private readonly AesGcm _aes = new(content.Key!, SealedChunks.TagBytes);
    private readonly Lock _gate = new();
    private byte[]? _buffer;
    private int _held = -1; // the chunk whose bytes the buffer holds
    private bool _disposed;

    /// <summary>Fewer bytes than the buffer takes only at the end.</summary>
    /// <exception cref="ContentDamagedException">The file is not what was written.</exception>
    public int ReadAt(long offset, Span<byte> to)
    {
        var read = 0;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            while (read < to.Length && offset < content.Size)
            {
                var (chunk, skip) = Math.DivRem(offset, SealedChunks.PlainBytes);
                var length = (int)Math.Min(SealedChunks.PlainBytes, content.Size - chunk * SealedChunks.PlainBytes);
                var count = Math.Min(length - (int)skip, to.Length - read);
                if (count == length && chunk != _held)
                    Open((int)chunk, length, to.Slice(read, length)); // the whole chunk is wanted: no way round
                else
                    Hold((int)chunk, length).Slice((int)skip, count).CopyTo(to[read..]);
                read += count;
                offset += count;
            }
            // Who came to the end is likely to have read it all.
            if (offset >= content.Size)
                Release();
        }
        return read;
    }

    private ReadOnlySpan<byte> Hold(int chunk, int length)
    {
        _buffer ??= buffers.Rent(SealedChunks.SealedBytes);
        if (chunk != _held)
        {
            Open(chunk, length, _buffer.AsSpan(0, length));
            _held = chunk;
        }
        return _buffer.AsSpan(0, length);
    }

    private void Open(int chunk, int length, Span<byte> to)
    {
        _buffer ??= buffers.Rent(SealedChunks.SealedBytes);
        _held = -1;
        var box = _buffer.AsSpan(0, length + SealedChunks.TagBytes);
        var read = 0;
        while (read < box.Length && RandomAccess.Read(file, box[read..], (long)chunk * SealedChunks.SealedBytes + read) is var count and > 0)
            read += count;
        var isLast = chunk == SealedChunks.CountOf(content.Size) - 1;
        if (read < box.Length || !SealedChunks.TryDecrypt(_aes, chunk, isLast, box[..length], box[length..], to))
            throw new ContentDamagedException(content.Number);
    }

    private void Release()
    {
        if (_buffer is not null)
            buffers.Return(_buffer);
        (_buffer, _held) = (null, -1);
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed)
                return;
            _disposed = true;
            Release();
            _aes.Dispose();
            file.Dispose();
        }
    }
}
