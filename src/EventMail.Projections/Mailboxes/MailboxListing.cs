using EventMail.Domain.Mailboxes;
using EventMail.EventStore;

namespace EventMail.Projections.Mailboxes;

/// <summary>Makes LIST's entries of a tree.</summary>
internal static class MailboxListing
{
    /// <param name="cache">Where newer headers than the tree's are; null to take the tree's.</param>
    /// <returns>Null when a header is nowhere.</returns>
    public static IReadOnlyList<MailboxEntry>? Of(MailboxTree tree, CommandExecutor? cache) => Of(tree, cache, tree.Account, "");

    /// <summary>What the viewer may look up of an account's mailboxes, under the names that the viewer writes.</summary>
    /// <param name="prefix">What stands before the owner's names for them.</param>
    /// <returns>Null when a header is nowhere.</returns>
    public static IReadOnlyList<MailboxEntry>? Of(MailboxTree tree, CommandExecutor? cache, string viewer, string prefix)
    {
        if (Visible(tree, cache, viewer) is not { } shown)
            return null;
        var entries = new List<MailboxEntry>(shown.Count);
        var names = shown.Select(s => s.Node.Name).ToHashSet(StringComparer.Ordinal);
        for (var i = 0; i < shown.Count; i++)
        {
            var (node, header, rights) = shown[i];
            // RFC 9051 §7.3.1: a level without a mailbox of its own is listed if there is something below it.
            foreach (var parent in MailboxName.Parents(node.Name))
            {
                if (names.Add(parent))
                    entries.Add(Above(prefix + parent));
            }
            // Sorted: what is below a name follows it at once.
            var hasChildren = i + 1 < shown.Count && MailboxName.IsBelow(shown[i + 1].Node.Name, node.Name);
            entries.Add(Entry(node.Id, header, hasChildren, rights, prefix));
        }
        return entries;
    }

    private static List<(MailboxTree.Node Node, MailboxState Header, Rights Rights)>? Visible(
        MailboxTree tree, CommandExecutor? cache, string viewer)
    {
        var shown = new List<(MailboxTree.Node, MailboxState, Rights)>(tree.Count);
        foreach (var node in tree.Sorted)
        {
            if (Header(tree, node, cache) is not { } header)
                return null;
            var rights = header.RightsOf(viewer, tree.Account);
            // RFC 4314 §4: to whom may not look it up it is as if it were not there.
            if ((rights & Rights.Lookup) != 0)
                shown.Add((node, header, rights));
        }
        return shown;
    }

    /// <summary>A level with something below it.</summary>
    public static MailboxEntry Above(string name) =>
        new(Guid.Empty, name, 0, 0, 0, 0, 0, 0, 0, null, HasChildren: true, Selectable: false) { Rights = Rights.None };

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

    /// <summary>Whoever may not read it learns that it is there, not what is in it.</summary>
    public static MailboxEntry Entry(Guid id, MailboxState state, bool hasChildren, Rights rights = Rights.All, string prefix = "")
    {
        var name = prefix + state.Name;
        if ((rights & Rights.Read) == 0)
            return new MailboxEntry(id, name, 0, 0, 0, 0, 0, 0, 0, null, hasChildren, Selectable: true) { Rights = rights };
        // RFC 6154 §2: an attribute tells what its owner uses a mailbox for.
        var specialUse = prefix.Length == 0 ? state.SpecialUse : null;
        return new MailboxEntry(
            id, name, state.UidValidity, state.UidNext, state.Messages, state.Unseen, state.Recent, state.Bytes, state.Version, specialUse,
            hasChildren, Selectable: true)
        { Rights = rights };
    }
}
