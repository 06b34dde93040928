namespace EventMail.EventStore;

/// <summary>
/// Takes a content as it arrives: hashes on the way, keeps it in pooled memory up to the threshold, then in a file.
/// Disposing without <see cref="CompleteAsync"/> leaves nothing behind. Not thread-safe.
/// </summary>
public sealed class ContentWriter : IAsyncDisposable
{
    // Large enough that most mail fits into one, small enough to waste little.
    private const int ChunkSize = 16 * 1024;

    private readonly ContentStore _store;
    private readonly List<byte[]> _chunks = [];
    private int _used; // bytes of the last chunk
    private ContentFileWriter? _file;
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

    // What came so far goes to the file; from here on only one buffer is held.
    private async ValueTask WriteFileAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel)
    {
        if (_file is null)
        {
            _file = new(_store, _store.Keys.New());
            for (var i = 0; i < _chunks.Count; i++)
                await _file.WriteAsync(_chunks[i].AsMemory(0, i < _chunks.Count - 1 ? _chunks[i].Length : _used), cancel);
            ReturnChunks();
        }
        await _file.WriteAsync(bytes, cancel);
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
            staged = _store.Stage(number, TakeBytes(), mayExist);
        }
        else
        {
            ContentFile? file;
            while ((file = await _file.TryCompleteAsync(number, cancel)) is null)
                number = await _store.Numbers.NextAsync(cancel);
            staged = _store.Stage(file, mayExist);
        }
        await DisposeAsync();
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
        return _file?.DisposeAsync() ?? default;
    }
}
