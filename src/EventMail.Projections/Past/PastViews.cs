using System.Diagnostics.CodeAnalysis;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;

namespace EventMail.Projections.Past;

/// <summary>The past mailboxes that were opened last, bounded by their messages. Thread-safe.</summary>
/// <param name="messages">At most so many, shared ones counted wherever they are.</param>
internal sealed class PastViews(int messages)
{
    // What a mailbox costs beside its messages, in messages: bounds the number of entries that a look-up goes through.
    private const int Overhead = 1000;

    private readonly Lock _gate = new();
    private readonly LinkedList<(StreamKey Key, MailboxState State)> _byUse = [];
    private long _weight;

    /// <summary>The last state of a mailbox that is known up to a version.</summary>
    public bool TryGet(StreamKey key, long version, [NotNullWhen(true)] out MailboxState? state)
    {
        lock (_gate)
        {
            LinkedListNode<(StreamKey Key, MailboxState State)>? best = null;
            for (var node = _byUse.First; node is not null; node = node.Next)
            {
                var known = node.Value.State.Version;
                if (node.Value.Key == key && known <= version && known > (best?.Value.State.Version ?? -1))
                    best = node;
            }
            if (best is null)
            {
                state = null;
                return false;
            }
            state = best.Value.State;
            _byUse.Remove(best);
            _byUse.AddFirst(best);
            return true;
        }
    }

    public void Put(StreamKey key, MailboxState state)
    {
        lock (_gate)
        {
            if (_byUse.Any(known => known.Key == key && known.State.Version == state.Version))
                return;
            _byUse.AddFirst((key, state));
            _weight += WeightOf(state);
            while (_weight > messages && _byUse.Last is { } oldest)
            {
                _byUse.RemoveLast();
                _weight -= WeightOf(oldest.Value.State);
            }
        }
    }

    private static long WeightOf(MailboxState state) => state.Messages + Overhead;
}
