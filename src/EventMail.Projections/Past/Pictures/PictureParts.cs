using EventMail.Domain.Mailboxes;

namespace EventMail.Projections.Past;

/// <summary>Makes a mailbox of what its pictures have of it.</summary>
internal static class PictureParts
{
    // Fewer are decoded before other threads would have begun.
    private const int WorthThreads = 32;

    /// <summary>Null when something is missing, or cannot be read.</summary>
    /// <param name="state">Without its view.</param>
    /// <param name="came">Chunks, the oldest messages first.</param>
    /// <param name="changes">What became of them, the earliest first.</param>
    /// <param name="messages">How many the chunks have.</param>
    public static MailboxState? Assemble(MailboxState state, List<byte[]> came, ViewChanges[] changes, long messages)
    {
        var (read, left) = (new int[came.Count], new Chunk?[came.Count]);
        if (came.Count < WorthThreads)
        {
            for (var i = 0; i < came.Count; i++)
                Decode(i);
        }
        else
        {
            Parallel.For(0, came.Count, Decode);
        }
        if (read.Sum() != messages)
            return null;
        var view = MailboxView.FromParts(left.OfType<Chunk>(), state.UidNext, state.Version, state.Flags);
        return view.Count == state.Messages ? state.WithView(view) : null;

        void Decode(int i)
        {
            if (!SegmentFormat.TryDecode(came[i], out var chunk))
                return;
            read[i] = chunk.Count;
            left[i] = chunk.After(changes);
        }
    }
}
