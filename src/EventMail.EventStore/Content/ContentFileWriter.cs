using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace EventMail.EventStore;

/// <summary>Writes a large content to a file as it arrives, encrypted with its key or plain, holding one buffer. Not thread-safe.</summary>
internal sealed class ContentFileWriter : IAsyncDisposable
{
    // What one write takes.
    private const int BufferBytes = SealedChunks.SealedBytes;

    private readonly ContentStore _store;
    private readonly byte[]? _key;
    private readonly AesGcm? _aes;
    private readonly int _room;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly SafeFileHandle _file;
    private readonly byte[] _buffer;
    private string? _temporary;
    private byte[]? _digest; // when it has ended
    private int _used;
    private int _chunk;
    private long _offset;
    private long _size;
    private bool _disposed;

    /// <param name="key">The content's own; null to write it plain.</param>
    public ContentFileWriter(ContentStore store, byte[]? key)
    {
        (_store, _key) = (store, key);
        _aes = key is null ? null : new(key, SealedChunks.TagBytes);
        _room = key is null ? BufferBytes : SealedChunks.PlainBytes;
        (_file, _temporary) = store.Files.CreateTemporary();
        _buffer = store.Buffers.Rent(BufferBytes);
    }

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel)
    {
        _hash.AppendData(bytes.Span);
        _size += bytes.Length;
        while (!bytes.IsEmpty)
        {
            if (_used == _room)
                await FlushAsync(isLast: false, cancel); // more follows: only now it is known
            var count = Math.Min(_room - _used, bytes.Length);
            bytes[..count].CopyTo(_buffer.AsMemory(_used));
            bytes = bytes[count..];
            _used += count;
        }
    }

    /// <summary>Ends the file: it is on disk under its final name, fsynced with its folders.</summary>
    /// <returns>Null where the name is taken (<see cref="ContentFiles.TryCommitAsync"/>): to be called again with another number.</returns>
    public async ValueTask<ContentFile?> TryCompleteAsync(long number, CancellationToken cancel)
    {
        if (_digest is null)
        {
            await FlushAsync(isLast: true, cancel);
            _digest = _hash.GetHashAndReset();
        }
        var content = new ContentFile(number, _digest, _size, _key);
        if (!await _store.Files.TryCommitAsync(_file, _temporary!, content, cancel))
            return null;
        _temporary = null;
        return content;
    }

    private async ValueTask FlushAsync(bool isLast, CancellationToken cancel)
    {
        var length = _used;
        if (_aes is not null)
        {
            var bytes = _buffer.AsSpan(0, _used);
            SealedChunks.Encrypt(_aes, _chunk++, isLast, bytes, bytes, _buffer.AsSpan(_used, SealedChunks.TagBytes));
            length += SealedChunks.TagBytes;
        }
        await RandomAccess.WriteAsync(_file, _buffer.AsMemory(0, length), _offset, cancel);
        _offset += length;
        _used = 0;
    }

    public ValueTask DisposeAsync()
    {
        if (_disposed)
            return default;
        _disposed = true;
        _store.Buffers.Return(_buffer);
        _hash.Dispose();
        _aes?.Dispose();
        _file.Dispose();
        if (_temporary is not null)
            File.Delete(_temporary);
        return default;
    }
}
