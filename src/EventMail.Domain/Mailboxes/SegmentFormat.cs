using System.Buffers;

namespace EventMail.Domain.Mailboxes;

/// <summary>
/// A chunk's bytes in a persisted view: a version, the number of messages, then the columns UID, flags, MODSEQ, size, internal
/// date, content, save date. Each column is what it takes least: an arithmetic series, runs, or differences. Numbers are LEB128, signed ones
/// zigzag. Usually 10 to 20 bytes a message.
/// </summary>
public static class SegmentFormat
{
    // A segment of another version is not read: its mailbox's messages are folded from the log and stored anew. 2: save dates.
    private const byte Version = 2;

    private enum Coding : byte
    {
        /// <summary>First value and a constant difference.</summary>
        Series,

        /// <summary>Values with their numbers of repetitions.</summary>
        Runs,

        /// <summary>First value, then differences.</summary>
        Differences,
    }

    public static byte[] Encode(Chunk chunk)
    {
        var output = new ArrayBufferWriter<byte>(chunk.Count * 16);
        output.Write([Version]);
        WriteNumber(output, (ulong)chunk.Count);
        Span<long> column = stackalloc long[Chunk.Capacity];
        column = column[..chunk.Count];
        Widen(chunk.Uids, column);
        WriteColumn(output, column);
        Widen(chunk.Flags, column);
        WriteColumn(output, column);
        WriteColumn(output, chunk.ModSeqs);
        Widen(chunk.Sizes, column);
        WriteColumn(output, column);
        WriteColumn(output, chunk.InternalDates);
        WriteColumn(output, chunk.Contents);
        Widen(chunk.SaveDates, column);
        WriteColumn(output, column);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>False: not written by <see cref="Encode"/>, damaged, or of another version.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> bytes, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Chunk? chunk)
    {
        chunk = null;
        if (bytes.IsEmpty || bytes[0] != Version)
            return false;
        bytes = bytes[1..];
        if (!TryReadNumber(ref bytes, out var count) || count is 0 or > Chunk.Capacity)
            return false;
        var (uids, flags, modSeqs) = (new uint[count], new ulong[count], new long[count]);
        var (sizes, dates, contents, saved) = (new uint[count], new long[count], new long[count], new uint[count]);
        Span<long> column = stackalloc long[Chunk.Capacity];
        column = column[..(int)count];
        if (!TryReadColumn(ref bytes, column) || !TryNarrow(column, uids))
            return false;
        for (var i = 1; i < uids.Length; i++)
        {
            if (uids[i] <= uids[i - 1])
                return false;
        }
        if (!TryReadColumn(ref bytes, column))
            return false;
        for (var i = 0; i < flags.Length; i++)
            flags[i] = (ulong)column[i];
        if (!TryReadColumn(ref bytes, modSeqs) || !TryReadColumn(ref bytes, column) || !TryNarrow(column, sizes)
            || !TryReadColumn(ref bytes, dates) || !TryReadColumn(ref bytes, contents)
            || !TryReadColumn(ref bytes, column) || !TryNarrow(column, saved) || !bytes.IsEmpty)
        {
            return false;
        }
        chunk = Chunk.OfColumns(uids, flags, modSeqs, sizes, dates, contents, saved);
        return true;
    }

    /// <summary>
    /// Where the flags and MODSEQs of a chunk differ from those of an earlier one with the same messages: the number of places, then the
    /// columns place, flags, MODSEQ. Null when it has other messages, or shares no arrays with it that say so.
    /// </summary>
    public static byte[]? EncodeMarks(Chunk chunk, Chunk earlier)
    {
        if (chunk.Count != earlier.Count || !chunk.SharesUidsWith(earlier))
            return null;
        Span<long> places = stackalloc long[Chunk.Capacity];
        Span<long> flags = stackalloc long[Chunk.Capacity];
        Span<long> modSeqs = stackalloc long[Chunk.Capacity];
        var count = 0;
        for (var i = 0; i < chunk.Count; i++)
        {
            if (chunk.Flags[i] != earlier.Flags[i] || chunk.ModSeqs[i] != earlier.ModSeqs[i])
            {
                (places[count], flags[count], modSeqs[count]) = (i, (long)chunk.Flags[i], chunk.ModSeqs[i]);
                count++;
            }
        }
        var output = new ArrayBufferWriter<byte>(16 + count * 6);
        output.Write([Version]);
        WriteNumber(output, (ulong)count);
        if (count > 0)
        {
            WriteColumn(output, places[..count]);
            WriteColumn(output, flags[..count]);
            WriteColumn(output, modSeqs[..count]);
        }
        return output.WrittenSpan.ToArray();
    }

    /// <summary>The chunk that <see cref="EncodeMarks"/> was given, from the same earlier one. False as with <see cref="TryDecode"/>.</summary>
    public static bool TryDecodeMarks(ReadOnlySpan<byte> bytes, Chunk earlier, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Chunk? chunk)
    {
        chunk = null;
        if (bytes.IsEmpty || bytes[0] != Version)
            return false;
        bytes = bytes[1..];
        if (!TryReadNumber(ref bytes, out var number) || number > (ulong)earlier.Count)
            return false;
        var count = (int)number;
        Span<long> places = stackalloc long[Chunk.Capacity];
        Span<long> flags = stackalloc long[Chunk.Capacity];
        Span<long> modSeqs = stackalloc long[Chunk.Capacity];
        places = places[..count];
        flags = flags[..count];
        modSeqs = modSeqs[..count];
        if (count > 0 && !(TryReadColumn(ref bytes, places) && TryReadColumn(ref bytes, flags) && TryReadColumn(ref bytes, modSeqs)))
            return false;
        foreach (var place in places)
        {
            if (place < 0 || place >= earlier.Count)
                return false;
        }
        if (!bytes.IsEmpty)
            return false;
        chunk = earlier.Remarked(places, flags, modSeqs);
        return true;
    }

    private static void Widen(ReadOnlySpan<uint> from, Span<long> to)
    {
        for (var i = 0; i < from.Length; i++)
            to[i] = from[i];
    }

    private static void Widen(ReadOnlySpan<ulong> from, Span<long> to)
    {
        for (var i = 0; i < from.Length; i++)
            to[i] = (long)from[i];
    }

    private static bool TryNarrow(ReadOnlySpan<long> from, uint[] to)
    {
        for (var i = 0; i < from.Length; i++)
        {
            if (from[i] is < 0 or > uint.MaxValue)
                return false;
            to[i] = (uint)from[i];
        }
        return true;
    }

    private static void WriteColumn(ArrayBufferWriter<byte> output, scoped ReadOnlySpan<long> values)
    {
        var step = values.Length > 1 ? values[1] - values[0] : 0;
        var (series, runs) = (true, 1);
        for (var i = 1; i < values.Length; i++)
        {
            if (values[i] != values[i - 1])
                runs++;
            if (values[i] - values[i - 1] != step)
                series = false;
        }
        var coding = series ? Coding.Series : runs <= values.Length / 3 ? Coding.Runs : Coding.Differences;
        output.Write([(byte)coding]);
        switch (coding)
        {
            case Coding.Series:
                WriteSigned(output, values[0]);
                WriteSigned(output, step);
                break;
            case Coding.Runs:
                for (int i = 0, end; i < values.Length; i = end)
                {
                    end = i + 1;
                    while (end < values.Length && values[end] == values[i])
                        end++;
                    WriteSigned(output, values[i]);
                    WriteNumber(output, (ulong)(end - i));
                }
                break;
            default:
                WriteSigned(output, values[0]);
                for (var i = 1; i < values.Length; i++)
                    WriteSigned(output, values[i] - values[i - 1]);
                break;
        }
    }

    private static bool TryReadColumn(ref ReadOnlySpan<byte> bytes, scoped Span<long> values)
    {
        if (bytes.IsEmpty)
            return false;
        var coding = (Coding)bytes[0];
        bytes = bytes[1..];
        if (!TryReadSigned(ref bytes, out var value))
            return false;
        switch (coding)
        {
            case Coding.Series:
                if (!TryReadSigned(ref bytes, out var step))
                    return false;
                for (var i = 0; i < values.Length; i++, value += step)
                    values[i] = value;
                return true;
            case Coding.Runs:
                for (var i = 0; ;)
                {
                    if (!TryReadNumber(ref bytes, out var length) || length == 0 || length > (ulong)(values.Length - i))
                        return false;
                    values.Slice(i, (int)length).Fill(value);
                    i += (int)length;
                    if (i == values.Length)
                        return true;
                    if (!TryReadSigned(ref bytes, out value))
                        return false;
                }
            case Coding.Differences:
                values[0] = value;
                for (var i = 1; i < values.Length; i++)
                {
                    if (!TryReadSigned(ref bytes, out var difference))
                        return false;
                    values[i] = value += difference;
                }
                return true;
            default:
                return false;
        }
    }

    private static void WriteSigned(ArrayBufferWriter<byte> output, long value) =>
        WriteNumber(output, (ulong)((value << 1) ^ (value >> 63)));

    private static bool TryReadSigned(ref ReadOnlySpan<byte> bytes, out long value)
    {
        var read = TryReadNumber(ref bytes, out var zigzag);
        value = (long)(zigzag >> 1) ^ -(long)(zigzag & 1);
        return read;
    }

    private static void WriteNumber(ArrayBufferWriter<byte> output, ulong value)
    {
        var span = output.GetSpan(10);
        var i = 0;
        for (; value >= 0x80; value >>= 7)
            span[i++] = (byte)(value | 0x80);
        span[i++] = (byte)value;
        output.Advance(i);
    }

    private static bool TryReadNumber(ref ReadOnlySpan<byte> bytes, out ulong value)
    {
        value = 0;
        for (var i = 0; i < bytes.Length && i < 10; i++)
        {
            value |= (ulong)(bytes[i] & 0x7f) << (7 * i);
            if (bytes[i] >= 0x80)
                continue;
            bytes = bytes[(i + 1)..];
            return true;
        }
        return false;
    }
}
