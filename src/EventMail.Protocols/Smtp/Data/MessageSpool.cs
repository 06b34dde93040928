using System.Runtime.CompilerServices;
using Microsoft.Win32.SafeHandles;

namespace EventMail.Protocols.Smtp.Data;

/// <summary>
/// A message as it came, kept until it is known what is written in front of it: the header in memory, the body in memory and, where
/// it is long, in a file. Disposing it leaves nothing behind. Not thread-safe while it is written; several may read it afterwards.
/// </summary>
internal sealed class MessageSpool : IAsyncDisposable
{
    private const int ChunkSize = 16 * 1024;

    // What one write to the file, or one read of it, takes.
    private const int FileBufferSize = 64 * 1024;

    private readonly SpoolSpace _space;
    private readonly SpooledHeader _header;
    private readonly List<byte[]> _chunks = [];
    private int _used; // octets of the last chunk
    private SafeFileHandle? _file; // holds what comes before the last chunk
    private long _fileLength;

    internal MessageSpool(SpoolSpace space) => (_space, _header) = (space, new(space));

    /// <summary>All octets so far.</summary>
    public long Size { get; private set; }

    /// <summary>From the first octet to the empty line inclusive; the whole message when there is none.</summary>
    public ReadOnlyMemory<byte> Header => _header.Octets;

    public bool HasEmptyLine => _header.HasEmptyLine;

    /// <summary>The header is beyond <see cref="SpoolSpace.MaxHeader"/>: the message was not kept and must be refused.</summary>
    public bool HeaderTooLong => _header.IsTooLong;

    /// <exception cref="IOException">The file cannot be written: the disk is full.</exception>
    public ValueTask WriteAsync(ReadOnlyMemory<byte> octets, CancellationToken cancel)
    {
        Size += octets.Length;
        octets = octets[_header.Take(octets.Span)..];
        return octets.IsEmpty || HeaderTooLong ? default
            : _file is null && Size <= _space.PerMessage && TryKeep(ref octets) ? default
            : WriteFileAsync(octets, cancel);
    }

    /// <summary>The octets behind the header, in pieces that are valid until the next one is asked for. May be read again and again.</summary>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> BodyAsync([EnumeratorCancellation] CancellationToken cancel = default)
    {
        if (_file is not null && _fileLength > 0)
        {
            var buffer = _space.Rent(FileBufferSize);
            try
            {
                for (long at = 0; at < _fileLength;)
                {
                    var count = await RandomAccess.ReadAsync(_file, buffer.AsMemory(0, (int)Math.Min(buffer.Length, _fileLength - at)), at, cancel).ConfigureAwait(false);
                    if (count == 0)
                        throw new EndOfStreamException("A spooled message was cut short.");
                    at += count;
                    yield return buffer.AsMemory(0, count);
                }
            }
            finally
            {
                _space.Return(buffer);
            }
        }

        for (var i = 0; i < _chunks.Count; i++)
            yield return Filled(i);
    }

    // Into memory; what there is no room for is left.
    private bool TryKeep(ref ReadOnlyMemory<byte> octets)
    {
        while (!octets.IsEmpty)
        {
            if (_chunks.Count == 0 || _used == _chunks[^1].Length)
            {
                if (!_space.HasRoomFor(ChunkSize))
                    return false;
                AddChunk(ChunkSize);
            }
            octets = octets[Fill(octets.Span)..];
        }
        return true;
    }

    private async ValueTask WriteFileAsync(ReadOnlyMemory<byte> octets, CancellationToken cancel)
    {
        if (_file is null)
        {
            _file = _space.CreateFile();
            await FlushAsync(cancel).ConfigureAwait(false);
            AddChunk(FileBufferSize);
        }
        while (!octets.IsEmpty)
        {
            if (_used == _chunks[0].Length)
            {
                await RandomAccess.WriteAsync(_file, _chunks[0], _fileLength, cancel).ConfigureAwait(false);
                _fileLength += _used;
                _used = 0;
            }
            octets = octets[Fill(octets.Span)..];
        }
    }

    // What is in memory goes to the file; from here on only one buffer is held.
    private async ValueTask FlushAsync(CancellationToken cancel)
    {
        for (var i = 0; i < _chunks.Count; i++)
        {
            var filled = Filled(i);
            await RandomAccess.WriteAsync(_file!, filled, _fileLength, cancel).ConfigureAwait(false);
            _fileLength += filled.Length;
        }
        ReturnChunks();
    }

    private void AddChunk(int size)
    {
        _chunks.Add(_space.Rent(size));
        _used = 0;
    }

    private int Fill(ReadOnlySpan<byte> octets)
    {
        var room = _chunks[^1].AsSpan(_used);
        var count = Math.Min(room.Length, octets.Length);
        octets[..count].CopyTo(room);
        _used += count;
        return count;
    }

    private ReadOnlyMemory<byte> Filled(int chunk) => _chunks[chunk].AsMemory(0, chunk < _chunks.Count - 1 ? _chunks[chunk].Length : _used);

    private void ReturnChunks()
    {
        foreach (var chunk in _chunks)
            _space.Return(chunk);
        _chunks.Clear();
    }

    public ValueTask DisposeAsync()
    {
        ReturnChunks();
        _header.Dispose();
        _file?.Dispose();
        return default;
    }
}
