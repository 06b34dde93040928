using System.Buffers.Binary;

namespace EventMail.EventStore.Backup;

/// <summary>
/// Rows as PostgreSQL's COPY writes them in its binary format (manual, COPY §Binary Format), one after the other. The octets of a row can be
/// given to another COPY as they are.
/// </summary>
internal sealed class CopyReader(Stream stream)
{
    /// <summary>What every copy begins with: the signature, no flags, no extension.</summary>
    public static ReadOnlyMemory<byte> Header => Start;

    /// <summary>What stands behind the last row.</summary>
    public static ReadOnlyMemory<byte> Trailer { get; } = new byte[] { 255, 255 };

    /// <summary>Octets of one field that are believed: PostgreSQL has none of more than 1 GiB.</summary>
    private const int MaxField = 1 << 30;

    private static readonly byte[] Start = [(byte)'P', (byte)'G', (byte)'C', (byte)'O', (byte)'P', (byte)'Y', 10, 255, 13, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    private byte[] _buffer = new byte[256 * 1024];
    private int _start;
    private int _end;
    private int _length;
    private bool _begun;
    private readonly List<(int At, int Length)> _fields = [];

    /// <summary>The row's octets, valid until the next is read.</summary>
    public ReadOnlyMemory<byte> Row => _buffer.AsMemory(_start, _length);

    public bool IsNull(int field) => _fields[field].Length < 0;

    /// <summary>A field's octets; empty for null.</summary>
    public ReadOnlySpan<byte> Field(int field) => _fields[field] is { Length: > 0 } found ? _buffer.AsSpan(_start + found.At, found.Length) : default;

    public long Long(int field) => Field(field) is { Length: sizeof(long) } octets
        ? BinaryPrimitives.ReadInt64BigEndian(octets)
        : throw new InvalidDataException("a field is no number of eight octets");

    /// <summary>A timestamptz.</summary>
    public DateTimeOffset Time(int field) => new DateTimeOffset(2000, 1, 1, 0, 0, 0, TimeSpan.Zero).AddTicks(Long(field) * 10);

    /// <summary>False behind the last row.</summary>
    /// <exception cref="InvalidDataException">It was cut off, or is no copy.</exception>
    public async ValueTask<bool> NextAsync(CancellationToken cancel)
    {
        _start += _length;
        _length = 0;
        if (!_begun)
        {
            await NeedAsync(Start.Length, cancel);
            if (!_buffer.AsSpan(_start, Start.Length).SequenceEqual(Start))
                throw new InvalidDataException("does not begin as a copy of rows does");
            _start += Start.Length;
            _begun = true;
        }
        await NeedAsync(2, cancel);
        var count = BinaryPrimitives.ReadInt16BigEndian(_buffer.AsSpan(_start));
        if (count == -1)
            return false;
        _fields.Clear();
        var length = 2;
        for (var i = 0; i < count; i++)
        {
            await NeedAsync(length + 4, cancel);
            var size = BinaryPrimitives.ReadInt32BigEndian(_buffer.AsSpan(_start + length));
            length += 4;
            if (size is < -1 or > MaxField)
                throw new InvalidDataException("a field has an impossible length");
            _fields.Add((length, size));
            length += Math.Max(size, 0);
            await NeedAsync(length, cancel);
        }
        _length = length;
        return true;
    }

    private async ValueTask NeedAsync(int octets, CancellationToken cancel)
    {
        while (_end - _start < octets)
        {
            if (_start > 0)
            {
                _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
                (_start, _end) = (0, _end - _start);
            }
            if (octets > _buffer.Length)
                Array.Resize(ref _buffer, (int)Math.Min(Array.MaxLength, Math.Max(octets, 2L * _buffer.Length)));
            var read = await stream.ReadAsync(_buffer.AsMemory(_end), cancel);
            if (read == 0)
                throw new InvalidDataException("was cut off");
            _end += read;
        }
    }
}
