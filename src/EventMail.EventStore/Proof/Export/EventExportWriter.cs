using System.Buffers;
using System.Buffers.Text;
using System.IO.Pipelines;
using System.Security.Cryptography;
using System.Text.Json;

namespace EventMail.EventStore.Proof;

/// <summary>
/// Writes an export of events: a line that says what it is, for each event its position, a space and its canonical line, and a last line
/// with their number and root. Every line ends in a line feed. Whoever can compute a SHA-256 can check it. Not thread-safe.
/// </summary>
public sealed class EventExportWriter
{
    // What is buffered before the stream gets it.
    private const long FlushBytes = 256 * 1024;

    private readonly PipeWriter _output;
    private readonly Frontier _tree = new();
    private long _last;

    /// <param name="output">Stays open.</param>
    public EventExportWriter(Stream output, EventExportHeader header)
    {
        _output = PipeWriter.Create(output, new(leaveOpen: true, minimumBufferSize: 64 * 1024));
        WriteLine(JsonSerializer.SerializeToUtf8Bytes(header, EventExportJson.Default.EventExportHeader));
        _last = header.After;
    }

    public long Events => _tree.Size;

    /// <param name="line">Canonical, without a line end.</param>
    /// <exception cref="ArgumentException">The position does not follow the last one's.</exception>
    public ValueTask WriteAsync(long position, ReadOnlySpan<byte> line, CancellationToken cancel)
    {
        if (position <= _last)
            throw new ArgumentException($"position {position} does not follow {_last}", nameof(position));
        _last = position;
        Span<byte> hash = stackalloc byte[TreeHash.Size];
        SHA256.HashData(line, hash);
        _tree.Add(new LogLeaf(position, TreeHash.Read(hash)).Hash);
        var number = _output.GetSpan(20);
        Utf8Formatter.TryFormat(position, number, out var length);
        _output.Advance(length);
        _output.Write(" "u8);
        WriteLine(line);
        return _output.UnflushedBytes > FlushBytes ? FlushAsync(cancel) : default;
    }

    /// <summary>Writes the last line.</summary>
    public async Task<EventExportTrailer> FinishAsync(CancellationToken cancel)
    {
        var trailer = new EventExportTrailer(_tree.Size, _tree.Size > 0 ? _last : 0, _tree.Root().ToString());
        WriteLine(JsonSerializer.SerializeToUtf8Bytes(trailer, EventExportJson.Default.EventExportTrailer));
        await FlushAsync(cancel);
        return trailer;
    }

    private async ValueTask FlushAsync(CancellationToken cancel) => await _output.FlushAsync(cancel);

    private void WriteLine(ReadOnlySpan<byte> line)
    {
        _output.Write(line);
        _output.Write("\n"u8);
    }
}
