using System.Buffers;

namespace EventMail.Domain.Mailboxes;

/// <summary>
/// A chunk's bytes in a persisted view: a version, the number of messages, then the columns UID, flags, MODSEQ, size, internal
/// date, content, save date, each as <see cref="ColumnFormat"/> has it. Usually 10 to 20 bytes a message.
/// </summary>
public static class SegmentFormat
{
    // A segment of another version is not read: its mailbox's messages are folded from the log and stored anew. 2: save dates.
    private const byte Version = 2;

    public static byte[] Encode(Chunk chunk)
    {
        var output = new ArrayBufferWriter<byte>(chunk.Count * 16);
        output.Write([Version]);
        ColumnFormat.WriteNumber(output, (ulong)chunk.Count);
        Span<long> column = stackalloc long[Chunk.Capacity];
        column = column[..chunk.Count];
        ColumnFormat.Widen(chunk.Uids, column);
        ColumnFormat.Write(output, column);
        ColumnFormat.Widen(chunk.Flags, column);
        ColumnFormat.Write(output, column);
        ColumnFormat.Write(output, chunk.ModSeqs);
        ColumnFormat.Widen(chunk.Sizes, column);
        ColumnFormat.Write(output, column);
        ColumnFormat.Write(output, chunk.InternalDates);
        ColumnFormat.Write(output, chunk.Contents);
        ColumnFormat.Widen(chunk.SaveDates, column);
        ColumnFormat.Write(output, column);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>False: not written by <see cref="Encode"/>, damaged, or of another version.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> bytes, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Chunk? chunk)
    {
        chunk = null;
        if (bytes.IsEmpty || bytes[0] != Version)
            return false;
        bytes = bytes[1..];
        if (!ColumnFormat.TryReadNumber(ref bytes, out var count) || count is 0 or > Chunk.Capacity)
            return false;
        var (uids, flags, modSeqs) = (new uint[count], new ulong[count], new long[count]);
        var (sizes, dates, contents, saved) = (new uint[count], new long[count], new long[count], new uint[count]);
        Span<long> column = stackalloc long[Chunk.Capacity];
        column = column[..(int)count];
        if (!ColumnFormat.TryRead(ref bytes, column) || !ColumnFormat.TryNarrow(column, uids))
            return false;
        for (var i = 1; i < uids.Length; i++)
        {
            if (uids[i] <= uids[i - 1])
                return false;
        }
        if (!ColumnFormat.TryRead(ref bytes, column))
            return false;
        for (var i = 0; i < flags.Length; i++)
            flags[i] = (ulong)column[i];
        if (!ColumnFormat.TryRead(ref bytes, modSeqs) || !ColumnFormat.TryRead(ref bytes, column) || !ColumnFormat.TryNarrow(column, sizes)
            || !ColumnFormat.TryRead(ref bytes, dates) || !ColumnFormat.TryRead(ref bytes, contents)
            || !ColumnFormat.TryRead(ref bytes, column) || !ColumnFormat.TryNarrow(column, saved) || !bytes.IsEmpty)
        {
            return false;
        }
        chunk = Chunk.OfColumns(uids, flags, modSeqs, sizes, dates, contents, saved);
        return true;
    }
}
