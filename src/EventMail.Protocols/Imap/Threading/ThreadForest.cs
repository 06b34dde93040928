using EventMail.Protocols.Imap.Sorting;

namespace EventMail.Protocols.Imap.Threading;

/// <summary>thread-alg (RFC 5256 §5); REFS is of draft-ietf-morg-inthread.</summary>
internal enum ThreadAlgorithm : byte
{
    OrderedSubject,
    References,
    Refs,
}

/// <summary>
/// Threads as lists of siblings, each in its order. A node below <see cref="SortedMessages.Count"/> is that message; the others are
/// dummies (RFC 5256 §3: siblings without a parent), which occur as roots only.
/// </summary>
internal sealed class ThreadForest
{
    /// <summary>No node.</summary>
    public const int None = -1;

    private readonly int[] _firstChild;
    private readonly int[] _nextSibling;

    private ThreadForest(int[] roots, int[] firstChild, int[] nextSibling) => (Roots, _firstChild, _nextSibling) = (roots, firstChild, nextSibling);

    public int[] Roots { get; }

    public int FirstChild(int node) => _firstChild[node];

    public int NextSibling(int node) => _nextSibling[node];

    /// <param name="maxDummies">Ids that are looked at though no message has them.</param>
    public static ThreadForest Of(ThreadAlgorithm algorithm, SortedMessages messages, int maxDummies) => algorithm switch
    {
        ThreadAlgorithm.OrderedSubject => OrderedSubject(messages),
        _ => new ReferenceThreads(messages).Build(algorithm, maxDummies),
    };

    /// <param name="parents">Of each message: another one, a dummy, or <see cref="None"/>.</param>
    /// <param name="byDate">The messages by sent date: siblings are in this order.</param>
    /// <param name="roots">In their order.</param>
    /// <param name="nodes">How many there are.</param>
    public static ThreadForest Of(int[] parents, int[] byDate, int[] roots, int nodes)
    {
        var first = new int[nodes];
        var next = new int[nodes];
        Array.Fill(first, None);
        Array.Fill(next, None);
        for (var i = byDate.Length - 1; i >= 0; i--)
        {
            var node = byDate[i];
            if (parents[node] is not None and var parent)
                (next[node], first[parent]) = (first[parent], node);
        }

        return new(roots, first, next);
    }

    /// <summary>The messages by sent date, those of one moment by their place in the mailbox (RFC 5256 §2.2).</summary>
    public static int[] ByDate(SortedMessages messages)
    {
        var dates = new (long Date, int At)[messages.Count];
        for (var i = 0; i < dates.Length; i++)
            dates[i] = (messages.SentDate(i), i);
        dates.AsSpan().Sort(static (a, b) => a.Date != b.Date ? a.Date.CompareTo(b.Date) : a.At.CompareTo(b.At));
        return Array.ConvertAll(dates, item => item.At);
    }

    // The first of a subject is the root, all others of it are its children.
    private static ThreadForest OrderedSubject(SortedMessages messages)
    {
        var byDate = ByDate(messages);
        var parents = new int[messages.Count];
        var roots = new List<int>();
        var subjects = new Dictionary<UInt128, int>(messages.Count);
        foreach (var message in byDate)
        {
            var subject = messages.Keys[message].SubjectId;
            if (subjects.TryGetValue(subject, out var root))
            {
                parents[message] = root;
                continue;
            }

            parents[message] = None;
            subjects[subject] = message;
            roots.Add(message);
        }

        return Of(parents, byDate, [.. roots], messages.Count);
    }
}
