using System.Globalization;
using System.Text;

namespace EventMail.EventStore.Backup;

/// <summary>A set of numbers, most of which stand beside each other. Written as "1-1000,1025-1090".</summary>
internal sealed class NumberRanges
{
    private List<(long First, long Last)> _ranges = [];

    public long Count => _ranges.Sum(range => range.Last - range.First + 1);

    public IReadOnlyList<(long First, long Last)> Ranges => _ranges;

    public static NumberRanges Parse(string text)
    {
        var numbers = new NumberRanges();
        foreach (var range in text.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var ends = range.Split('-');
            if (!long.TryParse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture, out var first)
                || !long.TryParse(ends[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var last) || last < first || ends.Length > 2)
                throw new InvalidDataException($"{range} is no range of numbers");
            numbers._ranges.Add((first, last));
        }
        numbers.Normalise();
        return numbers;
    }

    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var (first, last) in _ranges)
            text.Append(text.Length > 0 ? "," : "").Append(first).Append(last > first ? $"-{last}" : "");
        return text.ToString();
    }

    /// <summary>One that is higher than all.</summary>
    public void Append(long number)
    {
        if (_ranges.Count > 0 && _ranges[^1].Last + 1 == number)
            _ranges[^1] = (_ranges[^1].First, number);
        else
            _ranges.Add((number, number));
    }

    public void UnionWith(NumberRanges others)
    {
        _ranges.AddRange(others._ranges);
        Normalise();
    }

    public NumberRanges Except(NumberRanges others)
    {
        var rest = new NumberRanges();
        var at = 0;
        foreach (var range in _ranges)
        {
            var first = range.First;
            while (at < others._ranges.Count && others._ranges[at].Last < first)
                at++;
            for (var i = at; i < others._ranges.Count && others._ranges[i].First <= range.Last; i++)
            {
                if (others._ranges[i].First > first)
                    rest._ranges.Add((first, others._ranges[i].First - 1));
                first = Math.Max(first, others._ranges[i].Last + 1);
            }
            if (first <= range.Last)
                rest._ranges.Add((first, range.Last));
        }
        return rest;
    }

    public bool Contains(long number)
    {
        var (low, high) = (0, _ranges.Count - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (_ranges[middle].Last < number)
                low = middle + 1;
            else if (_ranges[middle].First > number)
                high = middle - 1;
            else
                return true;
        }
        return false;
    }

    /// <summary>Ranges with at most so many numbers together each.</summary>
    public IEnumerable<IReadOnlyList<(long First, long Last)>> Portions(int most)
    {
        var portion = new List<(long, long)>();
        var room = (long)most;
        foreach (var range in _ranges)
        {
            for (var first = range.First; first <= range.Last;)
            {
                var last = Math.Min(range.Last, first + room - 1);
                portion.Add((first, last));
                room -= last - first + 1;
                first = last + 1;
                if (room == 0)
                {
                    yield return portion;
                    (portion, room) = ([], most);
                }
            }
        }
        if (portion.Count > 0)
            yield return portion;
    }

    private void Normalise()
    {
        _ranges.Sort();
        var merged = new List<(long First, long Last)>(_ranges.Count);
        foreach (var range in _ranges)
        {
            if (merged.Count > 0 && range.First <= merged[^1].Last + 1)
                merged[^1] = (merged[^1].First, Math.Max(merged[^1].Last, range.Last));
            else
                merged.Add(range);
        }
        _ranges = merged;
    }
}
