using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace EventMail.EventStore.Backup;

/// <summary>Writes one segment: a line that says what it is, then its octets. It has its name once it is whole, hashed and synced.</summary>
internal sealed class SegmentWriter : IAsyncDisposable
{
    private readonly string _path;
    private readonly string _kind;
    private readonly FileStream _file;
    private readonly Hashing _hashing;
    private readonly Stream _output;
    private bool _isRows;

    private SegmentWriter(string path, string kind, bool compress)
    {
        (_path, _kind) = (path, kind);
        _file = Durable.Create(path + ".tmp");
        _hashing = new(_file);
        _output = compress ? new BufferedStream(new GZipStream(_hashing, CompressionLevel.Fastest), 64 * 1024) : new BufferedStream(_hashing, 64 * 1024);
    }

    public long Rows { get; private set; }

    /// <summary>Octets before they were compressed.</summary>
    public long Octets { get; private set; }

    public static string NameOf(int number, string kind, bool compress) => $"{number:d6}-{kind}{(compress ? ".gz" : "")}";

    /// <param name="columns">Of its rows; null for files.</param>
    public static async Task<SegmentWriter> BeginAsync(string folder, int number, string kind, string[]? columns, bool compress, CancellationToken cancel)
    {
        var writer = new SegmentWriter(Path.Combine(folder, NameOf(number, kind, compress)), kind, compress);
        try
        {
            var header = new SegmentHeader(SegmentHeader.Mark + kind, SegmentHeader.CurrentFormat, columns ?? []);
            await writer.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(header, SegmentJson.Default.SegmentHeader), cancel);
            await writer.WriteAsync("\n"u8.ToArray(), cancel);
            if (columns is not null)
                await writer.WriteAsync(CopyReader.Header, cancel);
            writer._isRows = columns is not null;
            return writer;
        }
        catch
        {
            await writer.DisposeAsync();
            throw;
        }
    }

    public ValueTask WriteRowAsync(ReadOnlyMemory<byte> row, CancellationToken cancel)
    {
        Rows++;
        return WriteAsync(row, cancel);
    }

    /// <summary>A line with its name and length, then its octets.</summary>
    /// <exception cref="IOException">It became shorter meanwhile.</exception>
    public async Task WriteFileAsync(string name, Stream content, byte[] buffer, CancellationToken cancel)
    {
        var length = content.Length;
        await WriteAsync(Encoding.ASCII.GetBytes($"{name} {length}\n"), cancel);
        for (var left = length; left > 0;)
        {
            var count = await content.ReadAsync(buffer.AsMemory(0, (int)Math.Min(left, buffer.Length)), cancel);
            if (count == 0)
                throw new IOException($"the content's file {name} became shorter while it was read");
            await WriteAsync(buffer.AsMemory(0, count), cancel);
            left -= count;
        }
        Rows++;
    }

    private ValueTask WriteAsync(ReadOnlyMemory<byte> octets, CancellationToken cancel)
    {
        Octets += octets.Length;
        return _output.WriteAsync(octets, cancel);
    }

    public async Task<BackupSegment> FinishAsync(long to, CancellationToken cancel)
    {
        if (_isRows)
            await WriteAsync(CopyReader.Trailer, cancel);
        await _output.DisposeAsync();
        _file.Flush(flushToDisk: true);
        var length = _file.Length;
        await _file.DisposeAsync();
        File.Move(_path + ".tmp", _path, overwrite: true);
        OwnFolders.Sync(Path.GetDirectoryName(_path)!);
        return new(Path.GetFileName(_path), _kind, Rows, length, _hashing.Sha256(), to);
    }

    public async ValueTask DisposeAsync()
    {
        await _file.DisposeAsync();
        File.Delete(_path + ".tmp");
    }

    /// <summary>Hashes what passes by, and leaves the stream below open.</summary>
    private sealed class Hashing(Stream below) : Stream
    {
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        public string Sha256() => Convert.ToHexStringLower(_hash.GetHashAndReset());

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            _hash.AppendData(buffer);
            below.Write(buffer);
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            _hash.AppendData(buffer.Span);
            return below.WriteAsync(buffer, cancellationToken);
        }

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override void Flush() => below.Flush();

        public override bool CanWrite => true;

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
