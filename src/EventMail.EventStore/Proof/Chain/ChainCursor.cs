namespace EventMail.EventStore.Proof;

/// <summary>Where verification stands in a stream.</summary>
/// <param name="exists">There is a row of the stream.</param>
/// <param name="type">The kind that its row names.</param>
internal sealed class ChainCursor(bool exists, string? type)
{
    public bool Exists { get; } = exists;

    public string? Type { get; } = type;

    /// <summary>Of the event that was looked at last; 0 before the first.</summary>
    public long Version { get; private set; }

    public long Position { get; private set; }

    public DateTimeOffset Time { get; private set; }

    /// <summary>What the next event must name as its predecessor.</summary>
    public byte[]? Hash { get; private set; }

    /// <summary>An event of this stream has a hash: none after it may lack it.</summary>
    public bool IsHashed { get; private set; }

    /// <summary>That the stream's type is another than its events' has been said.</summary>
    public bool TypeIsTold { get; set; }

    public void MoveTo(ChainRow row)
    {
        (Version, Position, Time, Hash) = (row.Facts.Version, row.Position, row.Facts.Time, row.Followed());
        IsHashed |= row.Hash is not null;
    }
}

/// <summary>
/// The cursors of the streams met last, in two generations: when the young one is full it becomes the old one, which is forgotten. What is
/// forgotten is read again.
/// </summary>
internal sealed class ChainCursors(int capacity)
{
    private Dictionary<StreamKey, ChainCursor> _young = [];
    private Dictionary<StreamKey, ChainCursor> _old = [];

    public ChainCursor? Find(StreamKey key)
    {
        if (_young.TryGetValue(key, out var cursor))
            return cursor;
        if (_old.Remove(key, out cursor))
            Add(key, cursor);
        return cursor;
    }

    public void Add(StreamKey key, ChainCursor cursor)
    {
        if (_young.Count >= capacity)
            (_old, _young) = (_young, []);
        _young[key] = cursor;
    }
}
