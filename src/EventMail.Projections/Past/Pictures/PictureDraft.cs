using EventMail.Domain.Mailboxes;

namespace EventMail.Projections.Past;

/// <summary>
/// A picture that may be stored: what of it the one before does not have. A chunk whose messages are the same is stored as the marks
/// that differ from when it was stored whole, as long as these are small beside it. What comes out depends on the stream alone.
/// </summary>
internal sealed class PictureDraft
{
    // Marks that are this part of a chunk or more are not worth the two rows that are read for them.
    private const int WorthMarks = 4;

    // What a chunk costs beside its columns: its row, and its place in the pictures that have it.
    private const int Overhead = 64;

    /// <param name="WholeAt">Null: the columns are all of it.</param>
    public readonly record struct Added(long FirstUid, byte[] Columns, long? WholeAt);

    private PictureDraft(MailboxState state, StoredChunk[] chunks, List<Added> added) => (State, Chunks, New) = (state, chunks, added);

    public MailboxState State { get; }

    public IReadOnlyList<StoredChunk> Chunks { get; }

    public IReadOnlyList<Added> New { get; }

    /// <summary>Null when it would take more than so many octets.</summary>
    public static PictureDraft? Of(MailboxState state, Picture? before, long octets)
    {
        var view = state.View!;
        var known = new Dictionary<uint, StoredChunk>();
        foreach (var chunk in before?.Chunks ?? [])
            known[chunk.Chunk.FirstUid] = chunk;
        var chunks = new StoredChunk[view.ChunkCount];
        var added = new List<Added>();
        for (var i = 0; i < chunks.Length; i++)
        {
            var chunk = view.ChunkAt(i);
            var earlier = known.GetValueOrDefault(chunk.FirstUid);
            if (earlier is not null && ReferenceEquals(earlier.Chunk, chunk))
            {
                chunks[i] = earlier;
                continue;
            }
            var (whole, marks) = (SegmentFormat.Encode(chunk), earlier is null ? null : SegmentFormat.EncodeMarks(chunk, earlier.Whole));
            var asMarks = marks is not null && marks.Length * WorthMarks <= whole.Length;
            chunks[i] = asMarks ? new(chunk, state.Version, earlier!.Whole, earlier.WholeAt) : new(chunk, state.Version, chunk, state.Version);
            added.Add(new(chunk.FirstUid, asMarks ? marks! : whole, asMarks ? earlier!.WholeAt : null));
            octets -= added[^1].Columns.Length + Overhead;
            if (octets < 0)
                return null;
        }
        return new(state, chunks, added);
    }
}
