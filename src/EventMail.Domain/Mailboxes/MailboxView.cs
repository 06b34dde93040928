namespace EventMail.Domain.Mailboxes;

/// <summary>
/// The messages of a mailbox at one version: immutable, columnar, persistent (versions share what did not change), ordered by UID.
/// A message's index + 1 is its sequence number for a session that knows exactly this view. Thread-safe.
/// </summary>
public sealed class MailboxView
{
    public static readonly MailboxView Empty = new([], [], [], null, 0, 0, 0, 0, 0, 1, 0, FlagTable.Empty);

    // All chunks but the last, and by chunk the index of its first message and its first UID; shared by all versions that only
    // differ in the last chunk, so that a delivery costs the same in a mailbox of any size.
    private readonly Chunk[] _chunks;
    private readonly int[] _starts;
    private readonly uint[] _firstUids;
    private readonly Chunk? _tail;
    private readonly int _tailStart;

    private MailboxView(
        Chunk[] chunks, int[] starts, uint[] firstUids, Chunk? tail, int tailStart,
        long bytes, int unseen, int flagged, int deleted, uint uidNext, long highestModSeq, FlagTable flags)
    {
        (_chunks, _starts, _firstUids, _tail, _tailStart) = (chunks, starts, firstUids, tail, tailStart);
        (Bytes, Unseen, Flagged, Deleted) = (bytes, unseen, flagged, deleted);
        (UidNext, HighestModSeq, Flags) = (uidNext, highestModSeq, flags);
    }

    public int Count => _tailStart + (_tail?.Count ?? 0);

    /// <summary>The UID that the next message will get.</summary>
    public uint UidNext { get; }

    /// <summary>The mailbox stream's version: HIGHESTMODSEQ (RFC 7162).</summary>
    public long HighestModSeq { get; }

    /// <summary>What the bits of the masks mean.</summary>
    public FlagTable Flags { get; }

    /// <summary>The sizes' sum.</summary>
    public long Bytes { get; }

    public int Unseen { get; }

    public int Deleted { get; }

    public int Flagged { get; }

    public int ChunkCount => _chunks.Length + (_tail is null ? 0 : 1);

    public Chunk ChunkAt(int i) => i < _chunks.Length ? _chunks[i] : _tail!;

    internal int StartOf(int chunk) => chunk < _starts.Length ? _starts[chunk] : _tailStart;

    private uint FirstUidOf(int chunk) => chunk < _firstUids.Length ? _firstUids[chunk] : _tail!.FirstUid;

    /// <summary>The message at an index (sequence number - 1). O(log chunks); for many messages use <see cref="Slices(int, int)"/>.</summary>
    public MessageRow this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(index));
            var chunk = ChunkOfIndex(index);
            return ChunkAt(chunk)[index - StartOf(chunk)];
        }
    }

    internal int ChunkOfIndex(int index)
    {
        if (index >= _tailStart)
            return _chunks.Length;
        var at = Array.BinarySearch(_starts, index);
        return at < 0 ? ~at - 1 : at;
    }

    /// <summary>The chunk that holds a UID if any does: the last that does not begin above it, or -1.</summary>
    internal int ChunkOfUid(uint uid)
    {
        if (_tail is not null && uid >= _tail.FirstUid)
            return _chunks.Length;
        var at = Array.BinarySearch(_firstUids, uid);
        return at < 0 ? ~at - 1 : at;
    }

    /// <summary>The index of a UID, or the complement of where it would be inserted (as Array.BinarySearch). O(log n).</summary>
    public int IndexOf(uint uid)
    {
        var chunk = ChunkOfUid(uid);
        if (chunk < 0)
            return ~0;
        var messages = ChunkAt(chunk);
        var at = messages.LowerBound(uid);
        var index = StartOf(chunk) + at;
        return at < messages.Count && messages.Uids[at] == uid ? index : ~index;
    }

    /// <summary>The index of the first message whose UID is not below this; Count when there is none.</summary>
    public int LowerBound(uint uid)
    {
        var index = IndexOf(uid);
        return index < 0 ? ~index : index;
    }

    /// <summary>All messages, chunk by chunk: <c>foreach (var slice in view.Slices())</c>.</summary>
    public SliceEnumerable Slices() => Slices(0, Count);

    /// <summary>The messages from an index, chunk by chunk.</summary>
    public SliceEnumerable Slices(int start, int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)start, (uint)Count, nameof(start));
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)count, (uint)(Count - start), nameof(count));
        return new(this, start, count);
    }

    /// <summary>The messages of one <see cref="ChangedRun"/>: they lie in one chunk.</summary>
    internal ViewSlice SliceAt(int start, int count)
    {
        var chunk = ChunkOfIndex(start);
        var offset = start - StartOf(chunk);
        return ViewSlice.Of(ChunkAt(chunk), offset, offset + count, start);
    }

    public readonly struct SliceEnumerable(MailboxView view, int start, int count)
    {
        public SliceEnumerator GetEnumerator() => new(view, start, start + count);
    }

    public ref struct SliceEnumerator
    {
        private readonly MailboxView _view;
        private readonly int _end;
        private int _next;
        private int _chunk;

        internal SliceEnumerator(MailboxView view, int start, int end)
        {
            (_view, _next, _end) = (view, start, end);
            _chunk = start < end ? view.ChunkOfIndex(start) : 0;
        }

        public ViewSlice Current { get; private set; }

        public bool MoveNext()
        {
            if (_next >= _end)
                return false;
            var chunk = _view.ChunkAt(_chunk);
            var chunkStart = _view.StartOf(_chunk++);
            Current = ViewSlice.Of(chunk, _next - chunkStart, Math.Min(_end - chunkStart, chunk.Count), _next);
            _next += Current.Length;
            return true;
        }
    }

    /// <summary>One message more at the end, at the version <paramref name="modSeq"/>.</summary>
    public MailboxView Append(in MessageRow row, FlagTable flags) =>
        Append(new ReadOnlySpan<MessageRow>(in row), row.ModSeq, flags);

    /// <summary>Messages with ascending UIDs, from <see cref="UidNext"/> up.</summary>
    public MailboxView Append(ReadOnlySpan<MessageRow> rows, long version, FlagTable flags)
    {
        var (chunks, starts, firstUids, tail, tailStart) = (_chunks, _starts, _firstUids, _tail, _tailStart);
        var (bytes, unseen, flagged, deleted) = (Bytes, Unseen, Flagged, Deleted);
        var uidNext = UidNext;
        while (!rows.IsEmpty)
        {
            if (rows[0].Uid < uidNext)
                throw new ArgumentException("UIDs only ascend.", nameof(rows));
            if (tail is { Count: Chunk.Capacity })
            {
                chunks = [.. chunks, tail];
                starts = [.. starts, tailStart];
                firstUids = [.. firstUids, tail.FirstUid];
                tailStart += tail.Count;
                tail = null;
            }
            var now = rows[..Math.Min(rows.Length, Chunk.Capacity - (tail?.Count ?? 0))];
            var longer = tail is null ? Chunk.Of(now) : tail.Append(now);
            bytes += longer.Bytes - (tail?.Bytes ?? 0);
            unseen += longer.Unseen - (tail?.Unseen ?? 0);
            flagged += longer.Flagged - (tail?.Flagged ?? 0);
            deleted += longer.Deleted - (tail?.Deleted ?? 0);
            tail = longer;
            uidNext = now[^1].Uid + 1;
            rows = rows[now.Length..];
        }
        return new(chunks, starts, firstUids, tail, tailStart, bytes, unseen, flagged, deleted, uidNext, version, flags);
    }

    /// <summary>The same messages at a later version: an event that touches none.</summary>
    public MailboxView At(long version) =>
        new(_chunks, _starts, _firstUids, _tail, _tailStart, Bytes, Unseen, Flagged, Deleted, UidNext, version, Flags);

    /// <summary>The same messages with other marks: costs what is marked, and nothing of the other chunks is looked at.</summary>
    /// <param name="markings">By chunk; null where it stays as it is.</param>
    internal MailboxView Remarked(Chunk.Marking?[] markings, long version, FlagTable flags)
    {
        var (chunks, tail) = (_chunks, _tail);
        var (unseen, flagged, deleted) = (Unseen, Flagged, Deleted);
        for (var i = 0; i < markings.Length; i++)
        {
            if (markings[i] is not { } marking)
                continue;
            var (before, chunk) = (ChunkAt(i), marking.Freeze());
            unseen += chunk.Unseen - before.Unseen;
            flagged += chunk.Flagged - before.Flagged;
            deleted += chunk.Deleted - before.Deleted;
            if (i == _chunks.Length)
            {
                tail = chunk;
                continue;
            }
            if (ReferenceEquals(chunks, _chunks))
                chunks = [.. _chunks];
            chunks[i] = chunk;
        }
        return new(chunks, _starts, _firstUids, tail, _tailStart, Bytes, unseen, flagged, deleted, UidNext, version, flags);
    }

    /// <summary>Chunks in ascending order of their UIDs.</summary>
    public static MailboxView FromChunks(IReadOnlyList<Chunk> chunks, uint uidNext, long version, FlagTable flags)
    {
        var full = Math.Max(0, chunks.Count - 1);
        var (all, starts, firstUids) = (new Chunk[full], new int[full], new uint[full]);
        int start = 0, unseen = 0, flagged = 0, deleted = 0;
        long bytes = 0;
        uint last = 0;
        for (var i = 0; i < chunks.Count; i++)
        {
            var chunk = chunks[i];
            if (chunk.FirstUid <= last || chunk.LastUid >= uidNext)
                throw new ArgumentException("Chunks must ascend and end below UIDNEXT.", nameof(chunks));
            last = chunk.LastUid;
            if (i < full)
            {
                (all[i], starts[i], firstUids[i]) = (chunk, start, chunk.FirstUid);
                start += chunk.Count;
            }
            bytes += chunk.Bytes;
            unseen += chunk.Unseen;
            flagged += chunk.Flagged;
            deleted += chunk.Deleted;
        }
        var tail = chunks.Count == 0 ? null : chunks[^1];
        return new(all, starts, firstUids, tail, start, bytes, unseen, flagged, deleted, uidNext, version, flags);
    }

    /// <summary>Chunks in ascending order of their UIDs, of which neighbours may be small: they become one.</summary>
    public static MailboxView FromParts(IEnumerable<Chunk> chunks, uint uidNext, long version, FlagTable flags) =>
        FromChunks(ViewEvolution.Packed(chunks), uidNext, version, flags);

    /// <summary>What STORE did: <see cref="ViewEvolution"/>.</summary>
    public MailboxView WithFlags(IReadOnlyList<FlagChange> changes, long version, FlagTable flags) =>
        ViewEvolution.ChangeFlags(this, changes, version, flags);

    public MailboxView Without(UidSet uids, long version) => ViewEvolution.Expunge(this, uids, version);

    /// <summary>
    /// What a client that knows <paramref name="known"/> must be told to know <paramref name="current"/>. Chunks that both share
    /// are skipped by reference.
    /// </summary>
    public static ViewDiff Diff(MailboxView known, MailboxView current) => ViewDiff.Between(known, current);

    /// <summary>
    /// <paramref name="current"/> with every message of <paramref name="known"/> that is gone from it still in its place: what a
    /// client knows that was told everything but EXPUNGE (RFC 9051 §7.5.1: none during FETCH, STORE, SEARCH).
    /// </summary>
    public static MailboxView KeepExpunged(MailboxView known, MailboxView current) => ViewEvolution.KeepExpunged(known, current);

    /// <summary>
    /// <paramref name="known"/> with these messages as they are in <paramref name="current"/>, or gone with it: what a client knows
    /// that was told of them alone. <paramref name="current"/> itself where nothing else has happened; else at the version of
    /// <paramref name="known"/>, up to which it is complete.
    /// </summary>
    public static MailboxView TakeOnly(MailboxView known, MailboxView current, UidSet uids) => ViewEvolution.TakeOnly(known, current, uids);
}
