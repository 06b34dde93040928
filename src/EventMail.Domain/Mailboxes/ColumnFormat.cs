using System.Buffers;

namespace EventMail.Domain.Mailboxes;

/// <summary>
/// A column of numbers as bytes, in what takes least: an arithmetic series, runs, or differences. Numbers are LEB128, signed ones zigzag.
/// A column of no numbers has no bytes.
/// </summary>
internal static class ColumnFormat
{
    // Of a number of 64 bits.
    private const int MaxBytes = 10;

    private enum Coding : byte
    {
        /// <summary>First value and a constant difference.</summary>
        Series,

        /// <summary>Values with their numbers of repetitions.</summary>
        Runs,

        /// <summary>First value, then differences.</summary>
        Differences,
    }

    public static void Write(ArrayBufferWriter<byte> output, scoped ReadOnlySpan<long> values)
    {
        if (values.IsEmpty)
            return;
        var coding = CodingOf(values);
        output.Write([(byte)coding]);
        switch (coding)
        {
            case Coding.Series:
                WriteSigned(output, values[0]);
                WriteSigned(output, values.Length > 1 ? values[1] - values[0] : 0);
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

    private static Coding CodingOf(ReadOnlySpan<long> values)
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
        return series ? Coding.Series : runs <= values.Length / 3 ? Coding.Runs : Coding.Differences;
    }

    /// <summary>False: not written by <see cref="Write"/>, or of another length.</summary>
    public static bool TryRead(ref ReadOnlySpan<byte> bytes, scoped Span<long> values)
    {
        if (values.IsEmpty)
            return true;
        if (bytes.IsEmpty)
            return false;
        var coding = (Coding)bytes[0];
        bytes = bytes[1..];
        if (!TryReadSigned(ref bytes, out values[0]))
            return false;
        return coding switch
        {
            Coding.Series => TryReadSeries(ref bytes, values),
            Coding.Runs => TryReadRuns(ref bytes, values),
            Coding.Differences => TryReadDifferences(ref bytes, values),
            _ => false,
        };
    }

    private static bool TryReadSeries(ref ReadOnlySpan<byte> bytes, scoped Span<long> values)
    {
        if (!TryReadSigned(ref bytes, out var step))
            return false;
        var value = values[0];
        for (var i = 1; i < values.Length; i++)
            values[i] = value += step;
        return true;
    }

    private static bool TryReadRuns(ref ReadOnlySpan<byte> bytes, scoped Span<long> values)
    {
        var value = values[0];
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
    }

    // Most of what is read is read here: no span is cut for a number.
    private static bool TryReadDifferences(ref ReadOnlySpan<byte> bytes, scoped Span<long> values)
    {
        var (value, at) = (values[0], 0);
        for (var i = 1; i < values.Length; i++)
        {
            var zigzag = 0UL;
            for (var shift = 0; ; shift += 7)
            {
                if (at >= bytes.Length || shift == 7 * MaxBytes)
                    return false;
                var next = bytes[at++];
                zigzag |= (ulong)(next & 0x7f) << shift;
                if (next < 0x80)
                    break;
            }
            values[i] = value += (long)(zigzag >> 1) ^ -(long)(zigzag & 1);
        }
        bytes = bytes[at..];
        return true;
    }

    public static void Widen(ReadOnlySpan<uint> from, Span<long> to)
    {
        for (var i = 0; i < from.Length; i++)
            to[i] = from[i];
    }

    public static void Widen(ReadOnlySpan<ulong> from, Span<long> to)
    {
        for (var i = 0; i < from.Length; i++)
            to[i] = (long)from[i];
    }

    public static bool TryNarrow(ReadOnlySpan<long> from, Span<uint> to)
    {
        for (var i = 0; i < from.Length; i++)
        {
            if (from[i] is < 0 or > uint.MaxValue)
                return false;
            to[i] = (uint)from[i];
        }
        return true;
    }

    public static void WriteNumber(ArrayBufferWriter<byte> output, ulong value)
    {
        var span = output.GetSpan(MaxBytes);
        var i = 0;
        for (; value >= 0x80; value >>= 7)
            span[i++] = (byte)(value | 0x80);
        span[i++] = (byte)value;
        output.Advance(i);
    }

    public static bool TryReadNumber(ref ReadOnlySpan<byte> bytes, out ulong value)
    {
        value = 0;
        for (var i = 0; i < bytes.Length && i < MaxBytes; i++)
        {
            value |= (ulong)(bytes[i] & 0x7f) << (7 * i);
            if (bytes[i] >= 0x80)
                continue;
            bytes = bytes[(i + 1)..];
            return true;
        }
        return false;
    }

    private static void WriteSigned(ArrayBufferWriter<byte> output, long value) =>
        WriteNumber(output, (ulong)((value << 1) ^ (value >> 63)));

    private static bool TryReadSigned(ref ReadOnlySpan<byte> bytes, out long value)
    {
        var read = TryReadNumber(ref bytes, out var zigzag);
        value = (long)(zigzag >> 1) ^ -(long)(zigzag & 1);
        return read;
    }
}
