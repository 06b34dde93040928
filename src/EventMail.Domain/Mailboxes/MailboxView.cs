namespace EventMail.Domain.Mailboxes;

/// <summary>
/// The messages of a mailbox at one version: immutable, columnar, persistent (versions share what did not change), ordered by UID.
/// A message's index + 1 is its sequence number for a session that knows exactly this view. Thread-safe.
/// </summary>
public sealed class MailboxView
{
    public static readonly MailboxView Empty = null!;

    public int Count => throw new NotSupportedException();

    /// <summary>The UID that the next message will get.</summary>
    public uint UidNext => throw new NotSupportedException();

    /// <summary>The mailbox stream's version: HIGHESTMODSEQ (RFC 7162).</summary>
    public long HighestModSeq => throw new NotSupportedException();

    /// <summary>What the bits of the masks mean.</summary>
    public FlagTable Flags => throw new NotSupportedException();

    /// <summary>The sizes' sum.</summary>
    public long Bytes => throw new NotSupportedException();

    public int Unseen => throw new NotSupportedException();

    public int Deleted => throw new NotSupportedException();

    public int Flagged => throw new NotSupportedException();

    /// <summary>The message at an index (sequence number - 1). O(log chunks); for many messages use <see cref="Slices(int, int)"/>.</summary>
    public MessageRow this[int index] => throw new NotSupportedException();

    /// <summary>The index of a UID, or the complement of where it would be inserted (as Array.BinarySearch). O(log n).</summary>
    public int IndexOf(uint uid) => throw new NotSupportedException();

    /// <summary>The index of the first message that has all of <paramref name="set"/> and none of <paramref name="clear"/>, or -1.</summary>
    public int IndexOfFirst(ulong set, ulong clear) => throw new NotSupportedException();

    /// <summary>The UIDs of all messages that have all of <paramref name="set"/> and none of <paramref name="clear"/>.</summary>
    public UidSet UidsWhere(ulong set, ulong clear) => throw new NotSupportedException();

    /// <summary>Those of the UIDs that are here.</summary>
    public UidSet Existing(UidSet uids) => throw new NotSupportedException();

    /// <summary>The UIDs of a range of indexes, as few ranges as possible.</summary>
    public UidSet UidsAt(int start, int count) => throw new NotSupportedException();

    /// <summary>The UIDs of a set of sequence numbers (index + 1); numbers beyond <see cref="Count"/> are left out.</summary>
    public UidSet UidsOfSequence(UidSet sequenceNumbers) => throw new NotSupportedException();

    /// <summary>The sequence numbers of those of the UIDs that are here.</summary>
    public UidSet SequenceOfUids(UidSet uids) => throw new NotSupportedException();

    /// <summary>All messages, chunk by chunk: <c>foreach (var slice in view.Slices())</c>.</summary>
    public SliceEnumerable Slices() => Slices(0, Count);

    /// <summary>The messages from an index, chunk by chunk.</summary>
    public SliceEnumerable Slices(int start, int count) => throw new NotSupportedException();

    public readonly struct SliceEnumerable
    {
        public SliceEnumerator GetEnumerator() => throw new NotSupportedException();
    }

    public ref struct SliceEnumerator
    {
        public ViewSlice Current => throw new NotSupportedException();

        public bool MoveNext() => throw new NotSupportedException();
    }

    /// <summary>
    /// What a client that knows <paramref name="known"/> must be told to know <paramref name="current"/>. Chunks that both share
    /// are skipped by reference.
    /// </summary>
    public static ViewDiff Diff(MailboxView known, MailboxView current) => throw new NotSupportedException();

    /// <summary>
    /// <paramref name="current"/> with every message of <paramref name="known"/> that is gone from it still in its place: what a
    /// client knows that was told everything but EXPUNGE (RFC 9051 §7.5.1: none during FETCH, STORE, SEARCH).
    /// </summary>
    public static MailboxView KeepExpunged(MailboxView known, MailboxView current) => throw new NotSupportedException();
}
