using EventMail.Protocols.Imap.Sorting;

namespace EventMail.Protocols.Imap.Threading;

/// <summary>
/// THREAD=REFERENCES (RFC 5256 §3), and REFS, which gathers no threads by their subjects and puts the thread of the latest message last.
/// </summary>
internal sealed class ReferenceThreads
{
    private readonly SortedMessages _messages;
    private readonly int[] _byDate;
    private readonly int[] _rank;

    /// <summary>Of each message: another one, a dummy root, or <see cref="ThreadForest.None"/>.</summary>
    private readonly int[] _parents;

    /// <summary>The children of dummies, by date until subjects are gathered.</summary>
    private readonly Dictionary<int, List<int>> _dummies = [];
    private int _nodes;

    public ReferenceThreads(SortedMessages messages)
    {
        _messages = messages;
        _byDate = ThreadForest.ByDate(messages);
        _rank = new int[messages.Count];
        for (var i = 0; i < _byDate.Length; i++)
            _rank[_byDate[i]] = i;
        _parents = new int[messages.Count];
    }

    public ThreadForest Build(ThreadAlgorithm algorithm, int maxDummies)
    {
        var links = new ReferenceLinks(_messages, maxDummies).Parents;
        _nodes = links.Count;
        Prune(links);
        if (algorithm == ThreadAlgorithm.References)
            GatherSubjects();
        var roots = Roots();
        roots.Sort(algorithm == ThreadAlgorithm.Refs ? ByLatest() : ByFirst());
        return ThreadForest.Of(_parents, _byDate, [.. roots], _nodes);
    }

    // Step 3: dummies give their children to who is above them, but for those at the top, which keep two or more.
    private void Prune(List<int> links)
    {
        // The nearest message above a dummy, or the uppermost dummy above it.
        var above = new int[links.Count];
        Array.Fill(above, ThreadForest.None);
        var path = new List<int>();
        foreach (var message in _byDate)
        {
            var parent = links[message];
            path.Clear();
            while (IsDummy(parent) && above[parent] == ThreadForest.None && links[parent] != ThreadForest.None)
            {
                path.Add(parent);
                parent = links[parent];
            }

            if (IsDummy(parent) && above[parent] != ThreadForest.None)
                parent = above[parent];
            foreach (var dummy in path)
                above[dummy] = parent;
            _parents[message] = parent;
            if (!IsDummy(parent))
                continue;
            if (!_dummies.TryGetValue(parent, out var children))
                _dummies[parent] = children = [];
            children.Add(message);
        }

        foreach (var (dummy, children) in _dummies.Where(pair => pair.Value.Count == 1).ToList())
        {
            _parents[children[0]] = ThreadForest.None;
            _dummies.Remove(dummy);
        }
    }

    // Step 5: threads of one subject become one.
    private void GatherSubjects()
    {
        var roots = Roots();
        roots.Sort(ByFirst()); // step 4
        var table = new Dictionary<UInt128, int>();
        foreach (var root in roots)
        {
            var subject = SubjectOf(root);
            if (subject == 0)
                continue;
            if (!table.TryGetValue(subject, out var known)
                || (!IsDummy(known) && (IsDummy(root) || (IsReply(known) && !IsReply(root)))))
                table[subject] = root;
        }

        foreach (var root in roots)
        {
            var subject = IsRoot(root) ? SubjectOf(root) : 0;
            if (subject == 0)
                continue;
            var known = table[subject];
            if (known == root)
                continue;
            if (IsDummy(root) && IsDummy(known))
            {
                foreach (var child in _dummies[root])
                    Adopt(known, child);
                _dummies.Remove(root);
            }
            else if (IsDummy(known) || (IsReply(root) && !IsReply(known)))
            {
                Adopt(known, root);
            }
            else
            {
                var both = _nodes++;
                _dummies[both] = [];
                Adopt(both, known);
                Adopt(both, root);
                table[subject] = both;
            }
        }
    }

    private void Adopt(int parent, int child)
    {
        _parents[child] = parent;
        if (IsDummy(parent))
            _dummies[parent].Add(child);
    }

    private bool IsDummy(int node) => node >= _messages.Count;

    private bool IsRoot(int node) => IsDummy(node) ? _dummies.ContainsKey(node) : _parents[node] == ThreadForest.None;

    private bool IsReply(int node) => !IsDummy(node) && _messages.Keys[node].IsReplyOrForward;

    // Of a dummy its first child's, by date.
    private UInt128 SubjectOf(int root) => _messages.Keys[IsDummy(root) ? _dummies[root][0] : root].SubjectId;

    private List<int> Roots()
    {
        var roots = new List<int>(_dummies.Keys);
        for (var i = 0; i < _parents.Length; i++)
        {
            if (_parents[i] == ThreadForest.None)
                roots.Add(i);
        }

        return roots;
    }

    // Steps 4 and 6: by sent date, of a dummy its first child's.
    private Comparison<int> ByFirst()
    {
        var first = _dummies.ToDictionary(pair => pair.Key, pair => pair.Value.Min(child => _rank[child]));
        int Key(int root) => IsDummy(root) ? first[root] : _rank[root];
        return (a, b) => Key(a).CompareTo(Key(b));
    }

    private Comparison<int> ByLatest()
    {
        // In the order of dates, so that what is written last is the latest.
        var latest = new int[_nodes];
        var root = new int[_nodes];
        Array.Fill(root, ThreadForest.None);
        var path = new List<int>();
        foreach (var message in _byDate)
        {
            var node = message;
            path.Clear();
            while (root[node] == ThreadForest.None && !IsDummy(node) && _parents[node] != ThreadForest.None)
            {
                path.Add(node);
                node = _parents[node];
            }

            var top = root[node] == ThreadForest.None ? node : root[node];
            root[top] = top;
            foreach (var passed in path)
                root[passed] = top;
            latest[top] = _rank[message];
        }

        return (a, b) => latest[a].CompareTo(latest[b]);
    }
}
