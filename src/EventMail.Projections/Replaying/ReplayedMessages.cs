using System.Numerics;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;

namespace EventMail.Projections.Replaying;

/// <param name="MessageId">Null: it has none, or the event that brought it was another account's.</param>
public sealed record ReplayedMessage(MessageRow Row, IReadOnlyList<string> Flags, string? MessageId);

/// <summary>A folded mailbox's messages, with what only the events that brought them say. Thread-safe.</summary>
public sealed class ReplayedMessages(EventLog log, StreamReplay replay)
{
    private static readonly string[] Bringing = ["message_received", "message_appended"];

    /// <param name="mailbox">With its messages.</param>
    public async Task<IReadOnlyList<ReplayedMessage>> OfAsync(ReplayedMailbox mailbox, CancellationToken cancel)
    {
        var (state, ids) = (mailbox.State, new Dictionary<long, string?>());
        foreach (var slice in state.View!.Slices())
            foreach (var content in slice.Contents)
                ids[content] = null;
        var left = ids.Keys.ToHashSet();
        await FindAsync(mailbox.Key, state.Version);
        // A copy has its original's.
        await foreach (var other in replay.MailboxesAsync([mailbox.Key.Tenant], cancel).ConfigureAwait(false))
        {
            if (left.Count == 0)
                break;
            if (other != mailbox.Key)
                await FindAsync(other, null);
        }
        var messages = new List<ReplayedMessage>(state.View.Count);
        for (var i = 0; i < state.View.Count; i++)
        {
            var row = state.View[i];
            messages.Add(new(row, NamesOf(state.Flags, row.Flags), ids[row.Content]));
        }
        return messages;

        async Task FindAsync(StreamKey stream, long? toVersion)
        {
            await foreach (var e in log.Reader.ReadStreamAsync(stream, toVersion: toVersion, types: Bringing, cancel: cancel).ConfigureAwait(false))
            {
                var (content, id) = e.Data switch
                {
                    MessageReceived received => (received.Content.Number, received.MessageId),
                    MessageAppended appended => (appended.Content.Number, appended.MessageId),
                    _ => (0, null), // a part of a row that is one of them as well
                };
                if (left.Remove(content))
                    ids[content] = id;
            }
        }
    }

    private static List<string> NamesOf(FlagTable table, ulong flags)
    {
        var names = new List<string>();
        for (; flags != 0; flags &= flags - 1)
            names.Add(table.NameOf(BitOperations.TrailingZeroCount(flags)));
        return names;
    }
}
