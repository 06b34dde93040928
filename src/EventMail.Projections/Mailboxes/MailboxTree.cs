using EventMail.Domain.Mailboxes;
using EventMail.EventStore;

namespace EventMail.Projections.Mailboxes;

/// <summary>The names of an account's mailboxes. Immutable but for <see cref="Node.Header"/>.</summary>
internal sealed class MailboxTree
{
    private readonly Dictionary<string, Node> _byName;
    private IReadOnlyList<Node>? _sorted;

    /// <param name="highestUidValidity">The highest that any mailbox of the account ever had.</param>
    public MailboxTree(string account, IEnumerable<Node> nodes, uint highestUidValidity)
    {
        (Account, HighestUidValidity) = (account, highestUidValidity);
        _byName = nodes.ToDictionary(n => n.Name, StringComparer.Ordinal);
    }

    public sealed class Node(Guid id, MailboxState header)
    {
        private volatile MailboxState? _header = header;

        public Guid Id { get; } = id;

        public string Name { get; } = header.Name;

        /// <summary>For as long as the mailbox lives (RFC 6154).</summary>
        public string? SpecialUse { get; } = header.SpecialUse;

        /// <summary>The header as it was loaded; null once a commit has changed it.</summary>
        public MailboxState? Header
        {
            get => _header;
            set => _header = value;
        }
    }

    public string Account { get; }

    public uint HighestUidValidity { get; }

    public int Count => _byName.Count;

    /// <summary>In LIST's order.</summary>
    public IReadOnlyList<Node> Sorted => _sorted ??= [.. _byName.Values.OrderBy(n => n.Name, MailboxName.Order)];

    /// <param name="name">Canonical.</param>
    public Node? Find(string name) => _byName.GetValueOrDefault(name);

    public StreamKey KeyOf(Node node) => new(Account, node.Id);

    public IEnumerable<Node> Below(string name) => _byName.Values.Where(n => MailboxName.IsBelow(n.Name, name));

    /// <summary>A mailbox as it is now: added, renamed or gone.</summary>
    public MailboxTree With(Guid id, MailboxState now)
    {
        var nodes = _byName.Values.Where(n => n.Id != id && (now.Deleted || n.Name != now.Name));
        if (!now.Deleted)
            nodes = nodes.Append(new(id, now with { View = null }));
        return new(Account, nodes, Math.Max(HighestUidValidity, now.UidValidity));
    }

    /// <summary>The header of this mailbox has moved.</summary>
    public void Forget(Guid id, string name)
    {
        if (_byName.TryGetValue(name, out var node) && node.Id == id)
            node.Header = null;
    }
}
