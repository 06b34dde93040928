using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Pipelines;

namespace EventMail.Protocols.Wire;

/// <summary>
/// What a client sends deflated (RFC 1951, no zlib header), inflated no faster than it is read: a few octets that stand for
/// gigabytes meet the same limits as the gigabytes would. Read by one session at a time; <see cref="Release"/> may come meanwhile.
/// </summary>
internal sealed class InflateStream(PipeReader source) : Stream
{
    /// <summary>How far back a deflated stream may point (RFC 1951 §3.2.5).</summary>
    private const int Window = 32 * 1024;

    // Not more than DeflateStream takes at once, so that nothing is left behind in the feed.
    private const int MaxPiece = 4096;

    // Octets that one session inflates before others have a turn.
    private const int Turn = 256 * 1024;

    private readonly Lock _lock = new();
    private readonly Feed _feed = new();
    private DeflateStream? _inflater;
    private bool _mayHaveMore;
    private int _withoutWaiting;

    // What was inflated last, for the window; and deflated again while nothing of the inflater is kept.
    private byte[] _history = [];
    private int _historyLength;
    private byte[]? _saved;

    // The last four octets that were fed. A flush ends in an empty stored block: 00 00 FF FF (RFC 1951 §3.2.4).
    private uint _last = Flushed;
    private bool _octetByOctet;
    private bool _disposed;

    private const uint Flushed = 0x0000FFFF;

    private static ReadOnlySpan<byte> FlushMark => [0x00, 0x00, 0xFF, 0xFF];

    /// <summary>It was not deflate, or came to an end of its own: nothing more is read.</summary>
    public bool IsOver { get; private set; }

    /// <summary>There is something that <see cref="Release"/> could let go.</summary>
    public bool HoldsState => _inflater is not null;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_withoutWaiting > Turn)
        {
            _withoutWaiting = 0;
            await Task.Yield();
        }

        var read = 0;
        while (!IsOver && read == 0)
        {
            if (_mayHaveMore)
            {
                if (buffer.IsEmpty)
                {
                    return 0;
                }

                read = Inflate(buffer.Span, default, out _);
                continue;
            }

            var waiting = source.ReadAsync(cancellationToken);
            if (!waiting.IsCompleted)
            {
                _withoutWaiting = 0;
            }

            var more = await waiting.ConfigureAwait(false);
            if (more.IsCanceled)
            {
                source.AdvanceTo(more.Buffer.Start);
                throw new OperationCanceledException();
            }

            if (more.Buffer.IsEmpty || buffer.IsEmpty)
            {
                // A read of no octets waits only.
                source.AdvanceTo(more.Buffer.Start);
                return 0;
            }

            var piece = NextPiece(more.Buffer);
            read = Inflate(buffer.Span, piece, out var taken);
            source.AdvanceTo(taken ? piece.End : piece.Start);
        }

        _withoutWaiting += read;
        return read;
    }

    /// <summary>
    /// Lets go of what a silent client does not need: what can be made again of the last 32 KiB, which are kept deflated. Only where
    /// the client has flushed its own, as it does behind every command.
    /// </summary>
    public void Release()
    {
        lock (_lock)
        {
            if (_inflater is null || _mayHaveMore || _last != Flushed || IsOver)
            {
                return;
            }

            _saved = Deflated(_history.AsSpan(Math.Max(0, _historyLength - Window).._historyLength));
            Drop();
        }
    }

    /// <summary>Reads on to where the client's stream ends or was flushed, in what is there. False when there is text before that.</summary>
    public bool TakeEnd()
    {
        Span<byte> text = stackalloc byte[64];
        while (!IsOver && source.TryRead(out var read))
        {
            var piece = read.Buffer.Slice(0, Math.Min(1, read.Buffer.Length));
            if (piece.IsEmpty || (_last == Flushed && !IsEmptyBlock(piece.FirstSpan[0])))
            {
                source.AdvanceTo(piece.Start);
                break;
            }

            var length = Inflate(text, piece, out var taken);
            source.AdvanceTo(taken ? piece.End : piece.Start);
            if (length > 0)
            {
                return false;
            }
        }

        return true;
    }

    // Behind a flush another one, or the end of the stream: an empty block, stored or (the last one) by fixed codes. No command begins so.
    private static bool IsEmptyBlock(byte first) => first is 0 or 1 or 3;

    protected override void Dispose(bool disposing)
    {
        lock (_lock)
        {
            _disposed = true;
            Drop();
        }

        base.Dispose(disposing);
    }

    private void Drop()
    {
        if (_inflater is not null)
        {
            _inflater.Dispose();
            _inflater = null;
            CompressionStates.Gone();
        }

        if (_history.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_history, clearArray: true);
        }

        (_history, _historyLength) = ([], 0);
    }

    // RFC 8437 §4.1: what comes behind UNAUTHENTICATE is not deflated any more. A piece ends with the client's flush, so that nothing
    // behind it is taken; or with the octet that ends the last block, where the client ends its stream.
    private ReadOnlySequence<byte> NextPiece(in ReadOnlySequence<byte> input)
    {
        var first = input.FirstSpan;
        if (first.IsEmpty)
        {
            first = input.Slice(0, 1).ToArray();
        }

        // BFINAL is the first bit of a block.
        _octetByOctet |= _last == Flushed && (first[0] & 1) != 0;
        return input.Slice(0, _octetByOctet ? 1 : LengthToFlush(first[..Math.Min(first.Length, MaxPiece)]));
    }

    private int LengthToFlush(ReadOnlySpan<byte> octets)
    {
        var last = _last;
        for (var i = 0; i < Math.Min(3, octets.Length); i++)
        {
            last = (last << 8) | octets[i];
            if (last == Flushed)
            {
                return i + 1;
            }
        }

        var mark = octets.IndexOf(FlushMark);
        return mark < 0 ? octets.Length : mark + FlushMark.Length;
    }

    private int Inflate(Span<byte> into, in ReadOnlySequence<byte> piece, out bool taken)
    {
        lock (_lock)
        {
            taken = false;
            if (_disposed)
            {
                IsOver = true;
                return 0;
            }

            try
            {
                var inflater = _inflater ?? Restore();
                _feed.Offer(piece);
                var read = inflater.Read(into);
                taken = _feed.IsEmpty;
                // What is not taken comes behind the stream's end.
                IsOver = !taken;
                _mayHaveMore = read == into.Length;
                Remember(into[..read]);
                foreach (var memory in piece)
                {
                    Follow(memory.Span);
                }

                return read;
            }
            catch (InvalidDataException)
            {
                // Whatever it is, it is not deflate: the session says so.
                IsOver = true;
                return 0;
            }
        }
    }

    private void Follow(ReadOnlySpan<byte> fed)
    {
        if (fed.Length >= sizeof(uint))
        {
            _last = BinaryPrimitives.ReadUInt32BigEndian(fed[^sizeof(uint)..]);
            return;
        }

        foreach (var octet in fed)
        {
            _last = (_last << 8) | octet;
        }
    }

    private DeflateStream Restore()
    {
        _inflater = new(_feed, CompressionMode.Decompress, leaveOpen: true);
        CompressionStates.Came();
        if (_saved is { } saved)
        {
            _saved = null;
            _feed.Offer(new(saved));
            Span<byte> again = stackalloc byte[1024];
            while (_inflater.Read(again) is > 0 and var read)
            {
                Remember(again[..read]);
            }
        }

        return _inflater;
    }

    private void Remember(ReadOnlySpan<byte> inflated)
    {
        if (inflated.Length > Window)
        {
            inflated = inflated[^Window..];
        }

        if (_historyLength + inflated.Length > _history.Length)
        {
            var kept = _history.AsSpan(Math.Max(0, _historyLength - Window).._historyLength);
            var bigger = ArrayPool<byte>.Shared.Rent(Math.Clamp((kept.Length + inflated.Length) * 2, 1024, 2 * Window));
            kept.CopyTo(bigger);
            (var old, _history, _historyLength) = (_history, bigger, kept.Length);
            if (old.Length > 0)
            {
                ArrayPool<byte>.Shared.Return(old, clearArray: true);
            }
        }

        inflated.CopyTo(_history.AsSpan(_historyLength));
        _historyLength += inflated.Length;
    }

    private static byte[] Deflated(ReadOnlySpan<byte> plain)
    {
        var result = new MemoryStream();
        using var deflater = new DeflateStream(result, CompressionLevel.Fastest, leaveOpen: true);
        deflater.Write(plain);
        deflater.Flush();
        // Not the stream's end: the client's own goes on behind it.
        return result.ToArray();
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Read asynchronously.");

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("For reading only.");

    public override void Flush()
    {
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException("A network stream has no length.");

    public override long Position
    {
        get => throw new NotSupportedException("A network stream has no position.");
        set => throw new NotSupportedException("A network stream has no position.");
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException("A network stream cannot seek.");

    public override void SetLength(long value) => throw new NotSupportedException("A network stream has no length.");

    /// <summary>What DeflateStream reads: the piece that is there, then nothing for now.</summary>
    private sealed class Feed : Stream
    {
        private ReadOnlySequence<byte> _piece;

        public bool IsEmpty => _piece.IsEmpty;

        public void Offer(ReadOnlySequence<byte> piece) => _piece = piece;

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            var part = _piece.Slice(0, Math.Min(buffer.Length, _piece.Length));
            part.CopyTo(buffer);
            _piece = _piece.Slice(part.End);
            return (int)part.Length;
        }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException("It has no length.");

        public override long Position
        {
            get => throw new NotSupportedException("It has no position.");
            set => throw new NotSupportedException("It has no position.");
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException("It cannot seek.");

        public override void SetLength(long value) => throw new NotSupportedException("It has no length.");

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("For reading only.");
    }
}
