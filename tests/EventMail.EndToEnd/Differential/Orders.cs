using System.Globalization;
using System.Text;

namespace EventMail.EndToEnd.Differential;

/// <summary>SORT with every key and THREAD with every algorithm (RFC 5256, 5957), and what ESEARCH says of searches (RFC 4731).</summary>
internal static class Orders
{
    private static readonly string[] Keys = ["ARRIVAL", "CC", "DATE", "DISPLAYFROM", "DISPLAYTO", "FROM", "SIZE", "SUBJECT", "TO"];

    private static readonly string[] Sorts =
    [
        .. Keys.Select(key => $"SORT ({key}) UTF-8 ALL"),
        .. Keys.Select(key => $"SORT (REVERSE {key}) UTF-8 ALL"),
        "SORT (SUBJECT REVERSE SIZE) UTF-8 ALL", "SORT (REVERSE FROM SUBJECT) US-ASCII NOT DELETED", "SORT (CC TO FROM REVERSE ARRIVAL) UTF-8 1:50",
    ];

    private static readonly string[] Extended =
    [
        "SEARCH RETURN () ALL", "SEARCH RETURN (MIN MAX COUNT) UNSEEN", "SEARCH RETURN (ALL) NOT 1:3", "SEARCH RETURN (COUNT) LARGER 1000",
        "UID SEARCH RETURN (MIN MAX COUNT ALL) KEYWORD Keyword", "SEARCH RETURN (COUNT) SINCE 5-Jan-2024", "SEARCH RETURN (MIN ALL) KEYWORD NobodyHasIt",
        "SORT RETURN (MIN MAX COUNT ALL) (REVERSE SIZE) UTF-8 ALL", "UID SORT RETURN (MIN COUNT) (ARRIVAL) UTF-8 SEEN", "SEARCH YOUNGER 100", "SEARCH OLDER 100", "SEARCH NOT OLDER 4294967295",
    ];

    private static readonly string[] Threads =
    [
        .. new[] { "ORDEREDSUBJECT", "REFERENCES", "REFS" }.SelectMany(algorithm => new[] { $"THREAD {algorithm} UTF-8 ALL", $"THREAD {algorithm} UTF-8 NOT SEEN" }),
    ];

    public static async Task CompareAsync(PeerSession session, string source, IReadOnlyList<string> names, Differences differences)
    {
        foreach (var command in Extended)
        {
            var (ours, theirs) = await session.RunAsync(command);
            differences.Compare(source, command, ours, theirs);
        }

        foreach (var command in Sorts)
        {
            // Nothing was expunged: UIDs and numbers are the same.
            foreach (var form in (string[])[command, "UID " + command])
            {
                var (ours, theirs) = await OkAsync(session, form);
                CompareOrder(names, form, Numbers(ours.Said["SORT"]), Numbers(theirs.Said["SORT"]), differences);
            }
        }

        foreach (var command in Threads)
        {
            foreach (var form in (string[])[command, "UID " + command])
            {
                var (ours, theirs) = await OkAsync(session, form);
                CompareThreads(names, form, new ThreadLinks(ours.Said.GetValueOrDefault("THREAD", "")), new ThreadLinks(theirs.Said.GetValueOrDefault("THREAD", "")), differences);
            }
        }
    }

    private static async Task<(Answer Ours, Answer Theirs)> OkAsync(PeerSession session, string command)
    {
        var (ours, theirs) = await session.RunAsync(command);
        ours.Status.ShouldBe("OK", $"{command}: {ours.Raw}");
        theirs.Status.ShouldBe("OK", $"{command}: {theirs.Raw}");
        return (ours, theirs);
    }

    private static List<int> Numbers(string text) =>
        [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(number => int.Parse(number, CultureInfo.InvariantCulture))];

    // A message that is elsewhere among the others: the fewest that have to be moved.
    private static void CompareOrder(IReadOnlyList<string> names, string command, List<int> ours, List<int> theirs, Differences differences)
    {
        ours.Order().ShouldBe(theirs.Order(), $"{command}: not the same messages");
        foreach (var number in ours.Except(InCommonOrder(ours, theirs)))
        {
            differences.Compare(names[number - 1], command, Behind(ours, number), Behind(theirs, number));
        }

        string Behind(List<int> order, int number) => order.IndexOf(number) is > 0 and var at ? $"behind {names[order[at - 1] - 1]}" : "first";
    }

    private static void CompareThreads(IReadOnlyList<string> names, string command, ThreadLinks ours, ThreadLinks theirs, Differences differences)
    {
        foreach (var number in ours.Parents.Keys.Union(theirs.Parents.Keys))
        {
            differences.Compare(names[number - 1], command + " → parent", Parent(ours, number), Parent(theirs, number));
        }

        var moved = ours.Parents.Keys.Union(theirs.Parents.Keys)
            .Where(number => !ours.Ancestors(number).SequenceEqual(theirs.Ancestors(number))).ToHashSet();
        CompareOrder(names, command + " → order", [.. ours.Order.Where(number => !moved.Contains(number))], [.. theirs.Order.Where(number => !moved.Contains(number))], differences);

        string? Parent(ThreadLinks links, int number) => !links.Parents.TryGetValue(number, out var parent)
            ? null
            : parent switch { 0 => "none", < 0 => $"missing, with {names[-parent - 1]}", _ => names[parent - 1] };
    }

    // Patience: the longest sequence of ours that stands in this order with them, too.
    private static List<int> InCommonOrder(List<int> ours, List<int> theirs)
    {
        var places = theirs.Select((number, place) => (number, place)).ToDictionary(pair => pair.number, pair => pair.place);
        var ends = new List<int>();
        var before = new Dictionary<int, int>();
        foreach (var number in ours)
        {
            var at = ends.FindIndex(end => places[end] > places[number]);
            at = at < 0 ? ends.Count : at;
            before[number] = at == 0 ? 0 : ends[at - 1];
            if (at == ends.Count)
            {
                ends.Add(number);
            }
            else
            {
                ends[at] = number;
            }
        }

        var common = new List<int>();
        for (var number = ends.Count > 0 ? ends[^1] : 0; number != 0; number = before[number])
        {
            common.Add(number);
        }

        return common;
    }

    /// <summary>What a THREAD response says of each message.</summary>
    private sealed class ThreadLinks
    {
        public ThreadLinks(string threads)
        {
            foreach (var thread in ImapValue.Parse(Encoding.Latin1.GetBytes(threads)))
            {
                Add(thread.Items!, 0);
            }
        }

        /// <summary>The message that it answers; 0: none; negative: one that is not here, with the first of those that answer it.</summary>
        public Dictionary<int, int> Parents { get; } = [];

        public List<int> Order { get; } = [];

        public IEnumerable<int> Ancestors(int number)
        {
            for (; number > 0; number = Parents.GetValueOrDefault(number))
            {
                yield return Parents.GetValueOrDefault(number);
            }
        }

        // RFC 5256 §4: numbers are each the parent of the next; lists behind them are siblings.
        private void Add(IReadOnlyList<ImapValue> members, int parent)
        {
            if (members[0].Items is not null && parent == 0)
            {
                parent = -First(members);
            }

            foreach (var member in members)
            {
                if (member.Items is { } branch)
                {
                    Add(branch, parent);
                    continue;
                }

                var number = int.Parse(member.Text, CultureInfo.InvariantCulture);
                Parents.Add(number, parent);
                Order.Add(number);
                parent = number;
            }
        }

        private static int First(IEnumerable<ImapValue> members) =>
            members.Min(member => member.Items is { } branch ? First(branch) : int.Parse(member.Text, CultureInfo.InvariantCulture));
    }
}
