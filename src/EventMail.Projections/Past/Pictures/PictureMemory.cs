using EventMail.Domain.Mailboxes;
using EventMail.EventStore;

namespace EventMail.Projections.Past;

/// <summary>
/// Chunks of pictures that were read lately: mailboxes as of many instants share them. What a chunk is follows from the stream, so
/// one that is remembered is right whatever became of the rows. Thread-safe.
/// </summary>
/// <param name="messages">About so many; at most twice.</param>
internal sealed class PictureMemory(int messages)
{
    private readonly BoundedCache<(StreamKey Mailbox, long FirstUid, long Version), StoredChunk> _chunks = new(Math.Max(1, messages / Chunk.Capacity));

    public StoredChunk? Find(StreamKey mailbox, long firstUid, long version) =>
        _chunks.TryGet((mailbox, firstUid, version), out var chunk) ? chunk : null;

    public void Put(StreamKey mailbox, StoredChunk chunk) => _chunks.Set((mailbox, chunk.Chunk.FirstUid, chunk.Version), chunk);
}
