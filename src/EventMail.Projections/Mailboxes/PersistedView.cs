using EventMail.Domain.Mailboxes;

namespace EventMail.Projections.Mailboxes;

/// <summary>Which chunks the segments of a snapshot hold, without keeping them in memory: one that is gone has been replaced, too.</summary>
internal sealed class PersistedView
{
    public static readonly PersistedView None = new(MailboxView.Empty);

    private readonly (uint FirstUid, WeakReference<Chunk> Chunk)[] _chunks;

    public PersistedView(MailboxView view)
    {
        Version = view.HighestModSeq;
        _chunks = new (uint, WeakReference<Chunk>)[view.ChunkCount];
        for (var i = 0; i < _chunks.Length; i++)
            _chunks[i] = (view.ChunkAt(i).FirstUid, new(view.ChunkAt(i)));
    }

    /// <summary>0: nothing is persisted.</summary>
    public long Version { get; }

    /// <summary>First UIDs of segments that no chunk begins with any more, and the chunks that are not stored as they are.</summary>
    public (List<long> Gone, List<Chunk> Changed) Compare(MailboxView now)
    {
        var stored = new Dictionary<uint, WeakReference<Chunk>>(_chunks.Length);
        foreach (var (firstUid, chunk) in _chunks)
            stored[firstUid] = chunk;
        var changed = new List<Chunk>();
        for (var i = 0; i < now.ChunkCount; i++)
        {
            var chunk = now.ChunkAt(i);
            if (!stored.Remove(chunk.FirstUid, out var before) || !before.TryGetTarget(out var same) || same != chunk)
                changed.Add(chunk);
        }
        return ([.. stored.Keys.Select(uid => (long)uid)], changed);
    }
}
