using EventMail.Domain.Mailboxes;

namespace EventMail.Projections.Past;

/// <summary>
/// A mailbox as it was, and what is stored of that: the messages that came since the picture before, and what became since an earlier one of those
/// that had come by then. A mailbox is the messages of all pictures from a whole one on, and then the changes of a few of them.
/// </summary>
/// <param name="Place">Where it stands among the others.</param>
/// <param name="Came">Of a whole one: all messages.</param>
internal sealed record Picture(MailboxState State, PicturePlace Place, IReadOnlyList<Chunk> Came, ViewChanges Changes)
{
    // Messages that opening may read and has no use for, whatever the mailbox's size.
    private const long Slack = 32_768;

    public static Picture Whole(MailboxState state)
    {
        var came = CameSince(1, state.View!);
        return new(state, PicturePlace.Whole(state.Version).With(came), came, ViewChanges.None);
    }

    /// <summary>The one after another; a whole one where most of what had to be read would be of no use.</summary>
    /// <param name="earlier">The changes that its own take in (<see cref="PicturePlace.TakenInByNext"/>), the earliest first.</param>
    public static Picture After(PicturePlace place, MailboxState before, MailboxState now, IEnumerable<ViewChanges> earlier)
    {
        var came = CameSince(before.UidNext, now.View!);
        var next = place.Next(now.Version).With(came);
        if (next.Cost > 2 * now.Messages + Slack)
            return Whole(now);
        return new(now, next, came, earlier.Append(ViewChanges.Between(before.View!, now.View!)).Aggregate((sooner, later) => sooner.Then(later)));
    }

    private static List<Chunk> CameSince(uint uid, MailboxView view)
    {
        var chunks = new List<Chunk>();
        var first = view.LowerBound(uid);
        var rows = new List<MessageRow>(Chunk.Capacity);
        for (var i = first; i < view.Count; i++)
        {
            rows.Add(view[i]);
            if (rows.Count < Chunk.Capacity && i + 1 < view.Count)
                continue;
            chunks.Add(Chunk.Of(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(rows)));
            rows.Clear();
        }
        return chunks;
    }
}
