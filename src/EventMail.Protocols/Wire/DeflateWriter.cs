using System.Buffers;
using System.IO.Compression;
using System.IO.Pipelines;

namespace EventMail.Protocols.Wire;

/// <summary>
/// Deflates (RFC 1951, no zlib header) what a session sends; a flush holds nothing back. While nothing is to be sent no buffer is
/// held, and <see cref="Release"/> lets go of the deflater too: a new one goes on in the same stream, which only must not point back
/// behind its own beginning. Not thread-safe.
/// </summary>
internal sealed class DeflateWriter(PipeWriter sink) : PipeWriter
{
    private const int BufferSize = 16 * 1024;

    // Of zlib's levels: a little dearer than the fastest, and a quarter smaller (docs/decisions/0026).
    private static readonly ZLibCompressionOptions Options = new() { CompressionLevel = 2 };

    private readonly Output _output = new(sink);
    private DeflateStream? _deflater;
    private byte[] _buffer = [];
    private int _length;
    private bool _unflushed;

    /// <summary>There is something that <see cref="Release"/> could let go.</summary>
    public bool HoldsState => _deflater is not null;

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _length + sink.UnflushedBytes;

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        if (_buffer.Length - _length < Math.Max(1, sizeHint))
        {
            Deflate();
            if (_buffer.Length < sizeHint || _buffer.Length == 0)
            {
                ReturnBuffer();
                _buffer = ArrayPool<byte>.Shared.Rent(Math.Max(sizeHint, BufferSize));
            }
        }

        return _buffer.AsMemory(_length);
    }

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override void Advance(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, _buffer.Length - _length);
        _length += bytes;
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        Deflate();
        ReturnBuffer();
        if (_unflushed)
        {
            _unflushed = false;
            _deflater!.Flush();
        }

        return sink.FlushAsync(cancellationToken);
    }

    /// <summary>To be called only when everything has been flushed.</summary>
    public void Release()
    {
        if (_deflater is null)
        {
            return;
        }

        // It would end the stream, which goes on.
        _output.Muted = true;
        _deflater.Dispose();
        _deflater = null;
        _output.Muted = false;
        CompressionStates.Gone();
    }

    /// <summary>Gives everything back. What was not flushed is lost; what is behind this layer stays open.</summary>
    public void End()
    {
        _length = 0;
        ReturnBuffer();
        Release();
    }

    public override void CancelPendingFlush() => sink.CancelPendingFlush();

    public override void Complete(Exception? exception = null)
    {
        End();
        sink.Complete(exception);
    }

    private void Deflate()
    {
        if (_length == 0)
        {
            return;
        }

        if (_deflater is null)
        {
            _deflater = new(_output, Options, leaveOpen: true);
            CompressionStates.Came();
        }

        _deflater.Write(_buffer.AsSpan(0, _length));
        _length = 0;
        _unflushed = true;
    }

    private void ReturnBuffer()
    {
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = [];
        }
    }

    /// <summary>What DeflateStream writes to.</summary>
    private sealed class Output(PipeWriter sink) : Stream
    {
        public bool Muted { get; set; }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (!Muted)
            {
                sink.Write(buffer);
            }
        }

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException("It has no length.");

        public override long Position
        {
            get => throw new NotSupportedException("It has no position.");
            set => throw new NotSupportedException("It has no position.");
        }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("For writing only.");

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException("It cannot seek.");

        public override void SetLength(long value) => throw new NotSupportedException("It has no length.");
    }
}
