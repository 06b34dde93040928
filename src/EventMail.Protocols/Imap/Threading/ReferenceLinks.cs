using System.Runtime.InteropServices;
using EventMail.Protocols.Imap.Sorting;

namespace EventMail.Protocols.Imap.Threading;

/// <summary>
/// Step 1 of THREAD=REFERENCES (RFC 5256 §3): parents and children by Message-IDs. Nodes beyond the messages are dummies, for ids that
/// no message has.
/// </summary>
internal sealed class ReferenceLinks
{
    private readonly SortedMessages _messages;
    private readonly int _maxNodes;
    private readonly Dictionary<UInt128, int> _byId;
    private readonly List<int> _parents;

    // Nodes that were ever linked are in one set: a link between two sets makes no loop. Links that were broken leave sets too large.
    private readonly List<int> _sets;

    /// <param name="maxDummies">Once there are so many, ids that no message has are passed over.</param>
    public ReferenceLinks(SortedMessages messages, int maxDummies)
    {
        (_messages, _maxNodes) = (messages, messages.Count + maxDummies);
        _byId = new(messages.Count * 2);
        _parents = [.. Enumerable.Repeat(ThreadForest.None, messages.Count)];
        _sets = [.. Enumerable.Range(0, messages.Count)];
        // The first message of an id has it; the others are told apart by having none.
        for (var i = 0; i < messages.Count; i++)
        {
            if (messages.Keys[i].MessageId is var id && id != 0)
                _byId.TryAdd(id, i);
        }

        for (var i = 0; i < messages.Count; i++)
            Link(i);
    }

    /// <summary>Of every node, messages first: a node, or <see cref="ThreadForest.None"/>.</summary>
    public List<int> Parents => _parents;

    private void Link(int message)
    {
        var last = ThreadForest.None;
        foreach (var reference in _messages.Keys[message].References)
        {
            var node = NodeOf(reference);
            if (node == ThreadForest.None)
                continue;
            // (A) "If a message already has a parent, don't change the existing link."
            if (last != ThreadForest.None && _parents[node] == ThreadForest.None)
                TryLink(last, node);
            last = node;
        }

        // (B) The last reference is the parent for certain.
        if (last == ThreadForest.None && _parents[message] == ThreadForest.None)
            return;
        _parents[message] = ThreadForest.None;
        if (last != ThreadForest.None)
            TryLink(last, message);
    }

    private int NodeOf(UInt128 id)
    {
        if (_parents.Count == _maxNodes)
            return _byId.GetValueOrDefault(id, ThreadForest.None);
        ref var node = ref CollectionsMarshal.GetValueRefOrAddDefault(_byId, id, out var exists);
        if (exists)
            return node;
        node = _parents.Count;
        _parents.Add(ThreadForest.None);
        _sets.Add(node);
        return node;
    }

    // The child has no parent. "Do not create a parent/child link if creating that link would introduce a loop."
    private void TryLink(int parent, int child)
    {
        if (parent == child || (SetOf(parent) == SetOf(child) && IsBelow(parent, child)))
            return;
        _parents[child] = parent;
        _sets[SetOf(child)] = SetOf(parent);
    }

    private bool IsBelow(int node, int ancestor)
    {
        while (node != ThreadForest.None && node != ancestor)
            node = _parents[node];
        return node == ancestor;
    }

    private int SetOf(int node)
    {
        while (_sets[node] != node)
            node = _sets[node] = _sets[_sets[node]];
        return node;
    }
}
