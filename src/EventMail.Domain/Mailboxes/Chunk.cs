using System.Numerics;
using System.Runtime.InteropServices;

namespace EventMail.Domain.Mailboxes;

/// <summary>
/// Up to <see cref="Capacity"/> consecutive messages of a view, by column. Immutable and shared between versions: equal references
/// mean equal messages. Never empty.
/// </summary>
public sealed class Chunk
{
    public const int Capacity = 1024;

    private const int FirstAllocation = 8;

    // What a message keeps for life. Several chunks may share the arrays, each reading only its own Count; whoever wins Used may
    // write the next row in place, so that appending one message copies nothing.
    private sealed class Fixed(uint[] uids, uint[] sizes, long[] internalDates, long[] contents, uint[] saveDates)
    {
        public readonly uint[] Uids = uids;
        public readonly uint[] Sizes = sizes;
        public readonly long[] InternalDates = internalDates;
        public readonly long[] Contents = contents;
        public readonly uint[] SaveDates = saveDates;
        public int Used;

        public Fixed(int capacity)
            : this(new uint[capacity], new uint[capacity], new long[capacity], new long[capacity], new uint[capacity])
        {
        }
    }

    // What STORE changes: copied on write, appended in place in the same way.
    private sealed class Marks(ulong[] flags, long[] modSeqs)
    {
        public readonly ulong[] Flags = flags;
        public readonly long[] ModSeqs = modSeqs;
        public int Used;

        public Marks(int capacity)
            : this(new ulong[capacity], new long[capacity])
        {
        }
    }

    private readonly Fixed _fixed;
    private readonly Marks _marks;

    private Chunk(Fixed columns, Marks marks, int count, long bytes)
    {
        (_fixed, _marks, Count, Bytes) = (columns, marks, count, bytes);
        (FirstUid, LastUid) = (columns.Uids[0], columns.Uids[count - 1]);
        Unseen = count - CountOf(0);
        Flagged = CountOf(2);
        Deleted = CountOf(3);
    }

    private int CountOf(int bit)
    {
        var words = MemoryMarshal.Cast<ulong, Vector<ulong>>(Flags);
        var sums = Vector<ulong>.Zero;
        foreach (ref readonly var word in words)
            sums += Vector.ShiftRightLogical(word, bit) & Vector<ulong>.One;
        var sum = Vector.Sum(sums);
        foreach (var flags in Flags[(words.Length * Vector<ulong>.Count)..])
            sum += flags >> bit & 1;
        return (int)sum;
    }

    // For a chunk that continues another: the rows are counted already.
    private Chunk(Fixed columns, Marks marks, Chunk before, ReadOnlySpan<MessageRow> rows)
    {
        (_fixed, _marks, Count) = (columns, marks, before.Count + rows.Length);
        (FirstUid, LastUid) = (before.FirstUid, rows[^1].Uid);
        (Bytes, Unseen, Flagged, Deleted) = (before.Bytes, before.Unseen, before.Flagged, before.Deleted);
        foreach (ref readonly var row in rows)
        {
            Bytes += row.Size;
            Unseen += (int)(~row.Flags & SystemFlags.Seen);
            Flagged += (int)(row.Flags >> 2 & 1);
            Deleted += (int)(row.Flags >> 3 & 1);
        }
    }

    public int Count { get; }

    /// <summary>The sizes' sum.</summary>
    public long Bytes { get; }

    public int Unseen { get; }

    public int Flagged { get; }

    public int Deleted { get; }

    // Beside the counts and not only in the columns: who goes over all chunks touches nothing else.
    public uint FirstUid { get; }

    public uint LastUid { get; }

    public ReadOnlySpan<uint> Uids => _fixed.Uids.AsSpan(0, Count);
    public ReadOnlySpan<uint> Sizes => _fixed.Sizes.AsSpan(0, Count);
    public ReadOnlySpan<long> InternalDates => _fixed.InternalDates.AsSpan(0, Count);
    public ReadOnlySpan<long> Contents => _fixed.Contents.AsSpan(0, Count);
    public ReadOnlySpan<uint> SaveDates => _fixed.SaveDates.AsSpan(0, Count);
    public ReadOnlySpan<ulong> Flags => _marks.Flags.AsSpan(0, Count);
    public ReadOnlySpan<long> ModSeqs => _marks.ModSeqs.AsSpan(0, Count);

    public MessageRow this[int i] =>
        new(Uids[i], Flags[i], ModSeqs[i], Sizes[i], InternalDates[i], Contents[i], SaveDates[i]);

    /// <summary>The same messages at the same places, up to the shorter one's length.</summary>
    internal bool SharesUidsWith(Chunk other) => _fixed == other._fixed;

    /// <summary>The same flags and MODSEQs, up to the shorter one's length.</summary>
    internal bool SharesMarksWith(Chunk other) => _marks == other._marks;

    /// <summary>Rows from 1 to <see cref="Capacity"/>, ascending by UID.</summary>
    public static Chunk Of(ReadOnlySpan<MessageRow> rows)
    {
        var capacity = rows.Length <= FirstAllocation ? FirstAllocation : Math.Min(Capacity, (int)BitOperations.RoundUpToPowerOf2((uint)rows.Length));
        var columns = new Fixed(capacity) { Used = rows.Length };
        var marks = new Marks(capacity) { Used = rows.Length };
        Write(columns, 0, rows);
        Write(marks, 0, rows);
        var bytes = 0L;
        foreach (ref readonly var row in rows)
            bytes += row.Size;
        return new(columns, marks, rows.Length, bytes);
    }

    /// <summary>Takes the arrays over. They have the same length, from 1 to <see cref="Capacity"/>, and ascend by UID.</summary>
    internal static Chunk OfColumns(
        uint[] uids, ulong[] flags, long[] modSeqs, uint[] sizes, long[] internalDates, long[] contents, uint[] saveDates)
    {
        var bytes = 0L;
        foreach (var size in sizes)
            bytes += size;
        return new(
            new Fixed(uids, sizes, internalDates, contents, saveDates) { Used = uids.Length },
            new Marks(flags, modSeqs) { Used = uids.Length }, uids.Length, bytes);
    }

    /// <summary>What is left of it after changes, the earliest first: itself where they touch none of it; null when nothing is.</summary>
    public Chunk? After(ReadOnlySpan<ViewChanges> changes)
    {
        Marks? marks = null;
        Span<bool> gone = stackalloc bool[Capacity];
        var left = Count;
        foreach (var change in changes)
        {
            foreach (ref readonly var run in change.RunsWithin(FirstUid, LastUid))
            {
                var (from, to) = PlacesOf(run.First, run.Last);
                if (from == to)
                    continue;
                marks ??= CopyMarks(Count, Count);
                marks.Flags.AsSpan(from, to - from).Fill(run.Flags);
                marks.ModSeqs.AsSpan(from, to - from).Fill(run.ModSeq);
            }
            foreach (var range in change.Gone.RangesWithin(FirstUid, LastUid))
            {
                var (from, to) = PlacesOf(range.First, range.Last);
                left -= gone[from..to].Count(false);
                gone[from..to].Fill(true);
            }
        }
        return left == 0 ? null
            : left < Count ? Without(gone, left, marks ?? _marks)
            : marks is null ? this
            : new(_fixed, marks, Count, Bytes);
    }

    private (int From, int To) PlacesOf(uint first, uint last) => (LowerBound(first), last >= LastUid ? Count : LowerBound(last + 1));

    private Chunk Without(ReadOnlySpan<bool> gone, int left, Marks marks)
    {
        var (uids, sizes, saveDates) = (new uint[left], new uint[left], new uint[left]);
        var (dates, contents, flags, modSeqs) = (new long[left], new long[left], new ulong[left], new long[left]);
        for (int i = 0, to = 0; i < Count; i++)
        {
            if (gone[i])
                continue;
            (uids[to], sizes[to], saveDates[to]) = (_fixed.Uids[i], _fixed.Sizes[i], _fixed.SaveDates[i]);
            (dates[to], contents[to], flags[to], modSeqs[to]) = (_fixed.InternalDates[i], _fixed.Contents[i], marks.Flags[i], marks.ModSeqs[i]);
            to++;
        }
        return OfColumns(uids, flags, modSeqs, sizes, dates, contents, saveDates);
    }

    /// <summary>Chunks behind each other as one; together they have at most <see cref="Capacity"/> messages.</summary>
    internal static Chunk Join(ReadOnlySpan<Chunk> chunks)
    {
        if (chunks.Length == 1)
            return chunks[0];
        var count = 0;
        foreach (var chunk in chunks)
            count += chunk.Count;
        var (uids, sizes, saveDates) = (new uint[count], new uint[count], new uint[count]);
        var (dates, contents, flags, modSeqs) = (new long[count], new long[count], new ulong[count], new long[count]);
        var at = 0;
        foreach (var chunk in chunks)
        {
            chunk.Uids.CopyTo(uids.AsSpan(at));
            chunk.Sizes.CopyTo(sizes.AsSpan(at));
            chunk.SaveDates.CopyTo(saveDates.AsSpan(at));
            chunk.InternalDates.CopyTo(dates.AsSpan(at));
            chunk.Contents.CopyTo(contents.AsSpan(at));
            chunk.Flags.CopyTo(flags.AsSpan(at));
            chunk.ModSeqs.CopyTo(modSeqs.AsSpan(at));
            at += chunk.Count;
        }
        return OfColumns(uids, flags, modSeqs, sizes, dates, contents, saveDates);
    }

    /// <summary>This chunk and more rows behind it; together at most <see cref="Capacity"/>.</summary>
    internal Chunk Append(ReadOnlySpan<MessageRow> rows)
    {
        var count = Count + rows.Length;
        var columns = _fixed;
        if (count > columns.Uids.Length || Interlocked.CompareExchange(ref columns.Used, count, Count) != Count)
        {
            columns = new Fixed(Grown(count)) { Used = count };
            Uids.CopyTo(columns.Uids);
            Sizes.CopyTo(columns.Sizes);
            InternalDates.CopyTo(columns.InternalDates);
            Contents.CopyTo(columns.Contents);
            SaveDates.CopyTo(columns.SaveDates);
        }
        var marks = _marks;
        if (count > marks.Flags.Length || Interlocked.CompareExchange(ref marks.Used, count, Count) != Count)
            marks = CopyMarks(Grown(count), count);
        Write(columns, Count, rows);
        Write(marks, Count, rows);
        return new(columns, marks, this, rows);
    }

    private static int Grown(int count) => Math.Min(Capacity, (int)BitOperations.RoundUpToPowerOf2((uint)count));

    private Marks CopyMarks(int capacity, int used)
    {
        // What lies beyond Used is never read.
        var copy = new Marks(GC.AllocateUninitializedArray<ulong>(capacity), GC.AllocateUninitializedArray<long>(capacity)) { Used = used };
        Flags.CopyTo(copy.Flags);
        ModSeqs.CopyTo(copy.ModSeqs);
        return copy;
    }

    private static void Write(Fixed columns, int at, ReadOnlySpan<MessageRow> rows)
    {
        for (var i = 0; i < rows.Length; i++)
        {
            ref readonly var row = ref rows[i];
            columns.Uids[at + i] = row.Uid;
            columns.Sizes[at + i] = row.Size;
            columns.InternalDates[at + i] = row.InternalDate;
            columns.Contents[at + i] = row.Content;
            columns.SaveDates[at + i] = row.SaveDate;
        }
    }

    private static void Write(Marks marks, int at, ReadOnlySpan<MessageRow> rows)
    {
        for (var i = 0; i < rows.Length; i++)
            (marks.Flags[at + i], marks.ModSeqs[at + i]) = (rows[i].Flags, rows[i].ModSeq);
    }

    /// <summary>Index of the first message whose UID is not below <paramref name="uid"/>; Count when there is none.</summary>
    internal int LowerBound(uint uid)
    {
        var first = FirstUid;
        if (uid <= first)
            return 0;
        if (uid > LastUid)
            return Count;
        // Most chunks have no hole.
        if (LastUid - first == Count - 1)
            return (int)(uid - first);
        var at = Uids.BinarySearch(uid);
        return at < 0 ? ~at : at;
    }

    /// <summary>Copies of the marks of a chunk, to be changed and then frozen as a new chunk.</summary>
    internal sealed class Marking(Chunk chunk)
    {
        private readonly Marks _marks = chunk.CopyMarks(chunk._marks.Flags.Length, chunk.Count);

        public void Set(int from, int to, ulong bits, long modSeq)
        {
            foreach (ref var word in Words(from, to))
                word |= new Vector<ulong>(bits);
            foreach (ref var flags in Rest(from, to))
                flags |= bits;
            _marks.ModSeqs.AsSpan(from, to - from).Fill(modSeq);
        }

        public void Clear(int from, int to, ulong bits, long modSeq)
        {
            foreach (ref var word in Words(from, to))
                word &= new Vector<ulong>(~bits);
            foreach (ref var flags in Rest(from, to))
                flags &= ~bits;
            _marks.ModSeqs.AsSpan(from, to - from).Fill(modSeq);
        }

        private Span<Vector<ulong>> Words(int from, int to) =>
            MemoryMarshal.Cast<ulong, Vector<ulong>>(_marks.Flags.AsSpan(from, to - from));

        private Span<ulong> Rest(int from, int to)
        {
            var rest = (to - from) % Vector<ulong>.Count;
            return _marks.Flags.AsSpan(to - rest, rest);
        }

        public Chunk Freeze() => new(chunk._fixed, _marks, chunk.Count, chunk.Bytes);
    }
}
