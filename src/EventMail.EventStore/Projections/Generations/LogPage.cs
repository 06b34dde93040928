using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Npgsql;

namespace EventMail.EventStore;

/// <summary>One event of a page: where it stands in the page's octets.</summary>
internal readonly record struct LogRow(long Sequence, Guid Id, StreamKey Stream, long Version, string Type, DateTimeOffset Time, int DataAt, int DataLength);

/// <summary>
/// A stretch of the log as PostgreSQL's binary COPY sends it: the columns that read models are folded from, the JSON left where it
/// arrived. Its memory goes back to the pool with it.
/// </summary>
internal sealed class LogPage : IDisposable
{
    private const int FirstLength = 1 << 20;

    // "PGCOPY\n\377\r\n\0", flags, length of the header's extension.
    private const int HeaderLength = 19;

    // PostgreSQL counts microseconds from here.
    private static readonly DateTimeOffset Epoch = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly List<LogRow> _rows = [];
    private byte[] _octets = ArrayPool<byte>.Shared.Rent(FirstLength);

    private LogPage(long upTo) => UpTo = upTo;

    /// <summary>The position that it reaches, whether an event stands there or not.</summary>
    public long UpTo { get; }

    public IReadOnlyList<LogRow> Rows => _rows;

    public ReadOnlySpan<byte> DataOf(in LogRow row) => _octets.AsSpan(row.DataAt, row.DataLength);

    /// <summary>The events with positions above the one and up to the other, which must be complete.</summary>
    public static async Task<LogPage> ReadAsync(NpgsqlConnection connection, long after, long upTo, LogNames names, CancellationToken cancel)
    {
        var copy = string.Create(CultureInfo.InvariantCulture, $"""
            copy (select seq_id, id, tenant_id, stream_id, version, type, timestamp, data from public.mt_events
            where seq_id > {after} and seq_id <= {upTo} and not is_archived order by seq_id) to stdout (format binary)
            """);
        var page = new LogPage(upTo);
        try
        {
            page.Parse(await page.FillAsync(connection, copy, cancel), names);
            return page;
        }
        catch
        {
            page.Dispose();
            throw;
        }
    }

    private async Task<int> FillAsync(NpgsqlConnection connection, string copy, CancellationToken cancel)
    {
        await using var stream = await connection.BeginRawBinaryCopyAsync(copy, cancel);
        var length = 0;
        while (await stream.ReadAsync(_octets.AsMemory(length), cancel) is var count and > 0)
        {
            length += count;
            if (length < _octets.Length)
                continue;
            var larger = ArrayPool<byte>.Shared.Rent(_octets.Length * 2);
            _octets.CopyTo(larger, 0);
            ArrayPool<byte>.Shared.Return(_octets);
            _octets = larger;
        }
        return length;
    }

    private void Parse(int length, LogNames names)
    {
        var octets = _octets.AsSpan(0, length);
        for (var at = HeaderLength; BinaryPrimitives.ReadInt16BigEndian(octets[at..]) is not -1;)
        {
            at += sizeof(short);
            var sequence = BinaryPrimitives.ReadInt64BigEndian(Next(octets, ref at));
            var id = new Guid(Next(octets, ref at), bigEndian: true);
            var tenant = names.Of(Next(octets, ref at));
            var stream = new Guid(Next(octets, ref at), bigEndian: true);
            var version = BinaryPrimitives.ReadInt64BigEndian(Next(octets, ref at));
            var type = names.Of(Next(octets, ref at));
            var time = Epoch.AddMicroseconds(BinaryPrimitives.ReadInt64BigEndian(Next(octets, ref at)));
            // jsonb: a version, then the text.
            var data = Next(octets, ref at)[1..];
            _rows.Add(new(sequence, id, new(tenant, stream), version, type, time, at - data.Length, data.Length));
        }
    }

    // A column that is null has the length -1; none of ours is in an event of a stream, and Marten's own never are.
    private static ReadOnlySpan<byte> Next(ReadOnlySpan<byte> octets, ref int at)
    {
        var length = Math.Max(0, BinaryPrimitives.ReadInt32BigEndian(octets[at..]));
        at += sizeof(int) + length;
        return octets.Slice(at - length, length);
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_octets);
        _octets = [];
    }
}

/// <summary>Names that come again and again (tenants, types of events) as one string each.</summary>
internal sealed class LogNames
{
    /// <summary>More are not remembered.</summary>
    private const int Most = 100_000;
    private const int LongestKept = 200;

    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);

    public string Of(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length > LongestKept)
            return Encoding.UTF8.GetString(utf8);
        Span<char> text = stackalloc char[LongestKept];
        text = text[..Encoding.UTF8.GetChars(utf8, text)];
        if (_names.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(text, out var known))
            return known;
        var name = text.ToString();
        if (_names.Count < Most)
            _names[name] = name;
        return name;
    }
}
