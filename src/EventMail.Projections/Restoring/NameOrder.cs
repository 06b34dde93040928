using EventMail.EventStore;

namespace EventMail.Projections.Restoring;

/// <summary>
/// In which order mailboxes get their names back: one that has the name of another gives it up before that one asks for it. Pure.
/// </summary>
/// <typeparam name="T">A mailbox with what is to become of it.</typeparam>
/// <param name="Order">All of them.</param>
/// <param name="Aside">Those that must be called something else meanwhile: they have each other's names.</param>
internal sealed record NameOrder<T>(IReadOnlyList<T> Order, IReadOnlyList<T> Aside)
{
    /// <param name="holder">Who has the name now that a mailbox is to get; null: nobody.</param>
    public static NameOrder<T> Of(IReadOnlyList<T> mailboxes, Func<T, StreamKey> keyOf, Func<T, StreamKey?> holder)
    {
        var byKey = mailboxes.ToDictionary(keyOf);
        var (order, aside, begun) = (new List<T>(mailboxes.Count), new List<T>(), new HashSet<StreamKey>());
        var chain = new Stack<T>();
        foreach (var first in mailboxes)
        {
            // Each waits for one at most: a chain that ends at a free name, at one that is done, or at its own beginning.
            for (var next = first; begun.Add(keyOf(next));)
            {
                chain.Push(next);
                if (holder(next) is not { } key || key == keyOf(next) || !byKey.TryGetValue(key, out var other))
                    break;
                if (chain.Any(waiting => keyOf(waiting) == key))
                    aside.Add(other);
                next = other;
            }
            while (chain.TryPop(out var done))
                order.Add(done);
        }
        return new(order, aside);
    }
}
