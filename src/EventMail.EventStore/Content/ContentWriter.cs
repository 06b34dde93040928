using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace EventMail.EventStore;

/// <summary>
/// Takes a content as it arrives: hashes on the way, keeps it in pooled memory up to the threshold, then in a file.
/// Disposing without <see cref="CompleteAsync"/> leaves nothing behind. Not thread-safe.
/// </summary>
public sealed class ContentWriter : IAsyncDisposable
{
    // Large enough that most mail fits into one, small enough to waste little.
    private const int ChunkSize = 16 * 1024;

    // What one write to the file takes.
    private const int FileBufferSize = 64 * 1024;

    private readonly ContentStore _store;
    private readonly List<byte[]> _chunks = [];
    private int _used; // bytes of the last chunk, or of the file buffer
    private SafeFileHandle? _file;
    private string? _temporary;
    private IncrementalHash? _hash;
    private byte[]? _fileBuffer;
    private long _fileOffset;
    private bool _completed;

    internal ContentWriter(ContentStore store) => _store = store;

    /// <summary>Bytes written so far.</summary>
    public long Size { get; private set; }

    public ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel = default)
    {
        ObjectDisposedException.ThrowIf(_completed, this);
        Size += bytes.Length;
        if (_file is null && Size <= _store.Options.FileThreshold)
        {
            AddToChunks(bytes.Span);
            return default;
        }
        return WriteFileAsync(bytes, cancel);
    }

    private void AddToChunks(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_chunks.Count == 0 || _used == _chunks[^1].Length)
            {
                _chunks.Add(_store.Buffers.Rent(ChunkSize));
                _used = 0;
            }
            var room = _chunks[^1].AsSpan(_used);
            var count = Math.Min(room.Length, bytes.Length);
            bytes[..count].CopyTo(room);
            bytes = bytes[count..];
            _used += count;
        }
    }

    private async ValueTask WriteFileAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel)
    {
        if (_file is null)
            await SpillAsync(cancel);
        _hash!.AppendData(bytes.Span);
        while (!bytes.IsEmpty)
        {
            var count = Math.Min(_fileBuffer!.Length - _used, bytes.Length);
            bytes[..count].CopyTo(_fileBuffer.AsMemory(_used));
            bytes = bytes[count..];
            _used += count;
            if (_used == _fileBuffer.Length)
                await FlushAsync(cancel);
        }
    }

    // What came so far goes to the file; from here on only one buffer is held.
    private async ValueTask SpillAsync(CancellationToken cancel)
    {
        (_file, _temporary) = _store.Files.CreateTemporary();
        _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var i = 0; i < _chunks.Count; i++)
        {
            var filled = _chunks[i].AsMemory(0, i < _chunks.Count - 1 ? _chunks[i].Length : _used);
            _hash.AppendData(filled.Span);
            await RandomAccess.WriteAsync(_file, filled, _fileOffset, cancel);
            _fileOffset += filled.Length;
        }
        ReturnChunks();
        _fileBuffer = _store.Buffers.Rent(FileBufferSize);
        _used = 0;
    }

    private async ValueTask FlushAsync(CancellationToken cancel)
    {
        await RandomAccess.WriteAsync(_file!, _fileBuffer.AsMemory(0, _used), _fileOffset, cancel);
        _fileOffset += _used;
        _used = 0;
    }

    /// <summary>
    /// Ends the content. A large one is then on disk under its final name (fsynced with its folders).
    /// <paramref name="mayExist"/>: the same bytes are likely to be stored already.
    /// </summary>
    public async ValueTask<StagedContent> CompleteAsync(bool mayExist = false, CancellationToken cancel = default)
    {
        ObjectDisposedException.ThrowIf(_completed, this);
        var number = await _store.Numbers.NextAsync(cancel);
        StagedContent staged;
        if (_file is null)
        {
            staged = ContentStore.Stage(number, TakeBytes(), mayExist);
        }
        else
        {
            await FlushAsync(cancel);
            var digest = _hash!.GetHashAndReset();
            var path = await _store.Files.CommitAsync(_file, _temporary!, digest, cancel);
            _temporary = null;
            await DisposeAsync();
            staged = new(number, digest, Size, null, path, mayExist);
        }
        _completed = true;
        return staged;
    }

    // An array of its own: it outlives the writer in the cache of recent contents.
    private byte[] TakeBytes()
    {
        var bytes = GC.AllocateUninitializedArray<byte>((int)Size);
        var at = 0;
        foreach (var chunk in _chunks)
        {
            var count = Math.Min(chunk.Length, bytes.Length - at);
            chunk.AsSpan(0, count).CopyTo(bytes.AsSpan(at));
            at += count;
        }
        ReturnChunks();
        return bytes;
    }

    private void ReturnChunks()
    {
        foreach (var chunk in _chunks)
            _store.Buffers.Return(chunk);
        _chunks.Clear();
    }

    public ValueTask DisposeAsync()
    {
        _completed = true;
        ReturnChunks();
        if (_fileBuffer is not null)
            _store.Buffers.Return(_fileBuffer);
        _fileBuffer = null;
        _hash?.Dispose();
        _file?.Dispose();
        if (_temporary is not null)
            File.Delete(_temporary);
        _temporary = null;
        return default;
    }
}
