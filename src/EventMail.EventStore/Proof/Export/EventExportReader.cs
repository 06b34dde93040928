using System.Buffers;
using System.Buffers.Text;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace EventMail.EventStore.Proof;

/// <summary>An event of an export.</summary>
/// <param name="FileLine">From 1: the first event stands in line 2.</param>
/// <param name="Line">Canonical; its memory is used again when the next one is asked for.</param>
public readonly record struct ExportedEvent(long FileLine, long Position, ReadOnlyMemory<byte> Line)
{
    public LogLeaf Leaf
    {
        get
        {
            Span<byte> hash = stackalloc byte[TreeHash.Size];
            SHA256.HashData(Line.Span, hash);
            return new(Position, TreeHash.Read(hash));
        }
    }
}

/// <summary>Reads what <see cref="EventExportWriter"/> writes. Not thread-safe.</summary>
public sealed class EventExportReader
{
    /// <summary>Octets of a line; no event of ours comes near it.</summary>
    public const int MaxLine = 256 * 1024 * 1024;

    private readonly PipeReader _input;
    private byte[] _line = [];
    private long _lines;

    private EventExportReader(PipeReader input, EventExportHeader header) => (_input, Header, _lines) = (input, header, 1);

    public EventExportHeader Header { get; }

    /// <summary>Known when all events have been read.</summary>
    public EventExportTrailer? Trailer { get; private set; }

    /// <param name="input">Stays open.</param>
    /// <exception cref="InvalidDataException">It is no export of events, or of a newer format.</exception>
    public static async Task<EventExportReader> OpenAsync(Stream input, CancellationToken cancel)
    {
        var pipe = PipeReader.Create(input, new(leaveOpen: true, bufferSize: 64 * 1024));
        var first = await ReadLineAsync(pipe, 1, new byte[256], cancel) ?? throw new InvalidDataException("the export is empty");
        var header = Parse(first.Span, EventExportJson.Default.EventExportHeader, 1);
        if (header.Export != EventExportHeader.Format || header.After < 0)
            throw new InvalidDataException("line 1: this is no export of events");
        return header.Version == EventExportHeader.CurrentVersion
            ? new(pipe, header)
            : throw new InvalidDataException($"line 1: an export of format {header.Version}; this program reads {EventExportHeader.CurrentVersion}");
    }

    /// <summary>Positions ascend; the last line agrees with what was read.</summary>
    /// <exception cref="InvalidDataException">A line is none, or the export was cut off; says which and why.</exception>
    public async IAsyncEnumerable<ExportedEvent> ReadAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        var (tree, last) = (new Frontier(), Header.After);
        while (await ReadLineAsync(_input, _lines + 1, _line, cancel) is { } line)
        {
            if (line.Length > _line.Length)
                _line = new byte[2 * line.Length];
            _lines++;
            if (Trailer is not null)
                throw new InvalidDataException($"line {_lines}: something stands behind the last line");
            if (line.Span.StartsWith("{"u8))
            {
                Trailer = Parse(line.Span, EventExportJson.Default.EventExportTrailer, _lines);
                continue;
            }
            if (!Utf8Parser.TryParse(line.Span, out long position, out var digits) || digits == line.Length || line.Span[digits] != (byte)' ')
                throw new InvalidDataException($"line {_lines} is not a position, a space and an event");
            if (position <= last)
                throw new InvalidDataException($"line {_lines}: position {position} stands behind {last}: an event was inserted or moved");
            last = position;
            var e = new ExportedEvent(_lines, position, line[(digits + 1)..]);
            tree.Add(e.Leaf.Hash);
            yield return e;
        }
        if (Trailer is null)
            throw new InvalidDataException($"the export was cut off behind line {_lines}: its last line is missing");
        if (Trailer.Events != tree.Size || Trailer.Root != tree.Root().ToString())
            throw new InvalidDataException($"the export was changed: its last line tells of {Trailer.Events} other events than the {tree.Size} in it");
    }

    // A copy, in the buffer where it is large enough.
    private static async ValueTask<ReadOnlyMemory<byte>?> ReadLineAsync(PipeReader input, long number, byte[] buffer, CancellationToken cancel)
    {
        while (true)
        {
            var read = await input.ReadAsync(cancel);
            if (read.Buffer.PositionOf((byte)'\n') is { } end)
            {
                var line = read.Buffer.Slice(0, end);
                // Behind the advance the pipe's memory is another's: what the line would say of its length is nothing any more.
                var length = (int)line.Length;
                var copy = length <= buffer.Length ? buffer : new byte[length];
                line.CopyTo(copy);
                input.AdvanceTo(read.Buffer.GetPosition(1, end));
                return copy.AsMemory(0, length);
            }
            if (read.Buffer.Length > MaxLine)
                throw new InvalidDataException($"line {number} is longer than {MaxLine} octets");
            if (read.IsCompleted)
            {
                return read.Buffer.IsEmpty ? null : throw new InvalidDataException($"the export was cut off in line {number}");
            }
            input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private static T Parse<T>(ReadOnlySpan<byte> line, JsonTypeInfo<T> type, long number) where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(line, type) ?? throw new InvalidDataException($"line {number} is empty");
        }
        catch (JsonException)
        {
            throw new InvalidDataException(number == 1 ? "line 1: this is no export of events" : $"line {number} is neither an event nor the last line");
        }
    }
}
