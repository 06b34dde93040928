using System.Globalization;

namespace EventMail.Protocols.Tests.Imap.Model;

/// <summary>Message sets, written at random and read by the rules of RFC 3501 §9, seq-range.</summary>
internal static class Sets
{
    public static uint Number(string text) => uint.Parse(text, CultureInfo.InvariantCulture);

    /// <summary>"1:3,5" without "*".</summary>
    public static SortedSet<uint> Parse(string text)
    {
        var result = new SortedSet<uint>();
        foreach (var part in text.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var ends = part.Split(':');
            for (var n = Number(ends[0]); n <= Number(ends[^1]); n++)
                result.Add(n);
        }

        return result;
    }

    /// <summary>A set that a client might name.</summary>
    /// <param name="highest">The highest number that means something.</param>
    public static string Any(Random random, IReadOnlyList<uint> numbers, uint highest) => random.Next(10) switch
    {
        0 => "1:*",
        1 => "*",
        2 => $"{1 + random.Next((int)highest + 1)}:*",
        3 when highest > 0 => Range(random, highest),
        _ when numbers.Count > 0 => Some(random, numbers),
        _ => "1:*",
    };

    private static string Range(Random random, uint highest) => $"{1 + random.Next((int)highest)}:{1 + random.Next((int)highest)}";

    private static string Some(Random random, IReadOnlyList<uint> numbers)
    {
        var odds = Math.Max(3, numbers.Count / 5);
        var some = numbers.Where(_ => random.Next(odds) == 0).ToList();
        return string.Join(',', some.Count > 0 ? some : [numbers[random.Next(numbers.Count)]]);
    }

    /// <summary>The UIDs of a set of sequence numbers; null when one of them is nobody's.</summary>
    public static HashSet<uint>? ByNumber(string set, IReadOnlyList<uint> known, ISet<uint> saved)
    {
        if (set == "$")
            return [.. known.Where(saved.Contains)];
        var result = new HashSet<uint>();
        foreach (var (first, last, open) in Ranges(set, (uint)known.Count))
        {
            if (!open && last > known.Count)
                return null;
            for (var n = first; n <= Math.Min(last, (uint)known.Count); n++)
            {
                if (n > 0)
                    result.Add(known[(int)n - 1]);
            }
        }

        return result;
    }

    /// <summary>Whether a set of UIDs has one.</summary>
    public static bool HasUid(string set, uint uid, IReadOnlyList<uint> known, ISet<uint> saved) =>
        set == "$" ? saved.Contains(uid) && known.Contains(uid)
        : known.Count > 0 && Ranges(set, known[^1]).Any(range => uid >= range.First && uid <= range.Last);

    /// <summary>"*" is the highest of all; where it stands beside a higher number, the range ends at the number.</summary>
    public static IEnumerable<(uint First, uint Last, bool Open)> Ranges(string set, uint star)
    {
        foreach (var part in set.Split(','))
        {
            var ends = part.Split(':').Select(end => end == "*" ? star : Number(end)).ToArray();
            var open = part.Contains('*', StringComparison.Ordinal);
            var (first, last) = (Math.Min(ends[0], ends[^1]), Math.Max(ends[0], ends[^1]));
            yield return (first, last, open);
        }
    }
}
