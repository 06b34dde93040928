using EventMail.Domain.Mailboxes;
using EventMail.EventStore;

namespace EventMail.Projections.Mailboxes;

/// <summary>Makes LIST's entries of a tree.</summary>
internal static class MailboxListing
{
    /// <param name="cache">Where newer headers than the tree's are; null to take the tree's.</param>
    /// <returns>Null when a header is nowhere.</returns>
    public static IReadOnlyList<MailboxEntry>? Of(MailboxTree tree, CommandExecutor? cache)
    {
        var entries = new List<MailboxEntry>(tree.Count);
        var (nodes, levels) = (tree.Sorted, new HashSet<string>(StringComparer.Ordinal));
        for (var i = 0; i < nodes.Count; i++)
        {
            var node = nodes[i];
            // RFC 9051 §7.3.1: a level without a mailbox of its own is listed if there is something below it.
            foreach (var parent in MailboxName.Parents(node.Name))
            {
                if (levels.Add(parent) && tree.Find(parent) is null)
                    entries.Add(new(Guid.Empty, parent, 0, 0, 0, 0, 0, 0, 0, null, HasChildren: true, Selectable: false));
            }
            if (Header(tree, node, cache) is not { } header)
                return null;
            // Sorted: what is below a name follows it at once.
            var hasChildren = i + 1 < nodes.Count && MailboxName.IsBelow(nodes[i + 1].Name, node.Name);
            entries.Add(Entry(node.Id, header, hasChildren));
        }
        return entries;
    }

    private static MailboxState? Header(MailboxTree tree, MailboxTree.Node node, CommandExecutor? cache)
    {
        var header = node.Header;
        if (cache is not null && cache.TryGetState(tree.KeyOf(node), out var cached) && cached.State is MailboxState { Exists: true } state
            && state.Version >= (header?.Version ?? 0))
        {
            return state;
        }
        return header;
    }

    public static MailboxEntry Entry(Guid id, MailboxState state, bool hasChildren) => new(
        id, state.Name, state.UidValidity, state.UidNext, state.Messages, state.Unseen, state.Recent, state.Bytes, state.Version,
        state.SpecialUse, hasChildren, Selectable: true);
}
