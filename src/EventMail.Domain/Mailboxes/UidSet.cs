using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace EventMail.Domain.Mailboxes;

/// <summary>
/// A set of UIDs (or of sequence numbers) as ascending, disjoint ranges that do not touch. Immutable; equal sets are equal values.
/// Its text is RFC 9051's sequence-set without "*", as short as possible: "1:5,9"; the empty set is the empty text.
/// </summary>
public sealed class UidSet : IEquatable<UidSet>
{
    public static readonly UidSet Empty = new([]);

    private readonly UidRange[] _ranges;

    private UidSet(UidRange[] ranges)
    {
        _ranges = ranges;
        foreach (var range in ranges)
            Count += range.Count;
    }

    /// <summary>How many numbers it holds.</summary>
    public long Count { get; }

    public bool IsEmpty => _ranges.Length == 0;

    public ReadOnlySpan<UidRange> Ranges => _ranges;

    /// <summary>The lowest number. The set must not be empty.</summary>
    public uint First => _ranges[0].First;

    /// <summary>The highest number. The set must not be empty.</summary>
    public uint Last => _ranges[^1].Last;

    public static UidSet Of(uint uid) => new([new(uid, uid)]);

    public static UidSet OfRange(uint first, uint last) => first > last ? Empty : new([new(first, last)]);

    /// <summary>Numbers in any order, repeated or not.</summary>
    public static UidSet From(IEnumerable<uint> uids)
    {
        var sorted = uids.ToArray();
        Array.Sort(sorted);
        var builder = new Builder();
        foreach (var uid in sorted)
            builder.Add(uid);
        return builder.Build();
    }

    /// <summary>Ranges in any order, overlapping or not.</summary>
    public static UidSet FromRanges(IEnumerable<UidRange> ranges)
    {
        var sorted = ranges.ToArray();
        Array.Sort(sorted, static (a, b) => a.First.CompareTo(b.First));
        var builder = new Builder();
        foreach (var range in sorted)
            builder.Add(range);
        return builder.Build();
    }

    /// <exception cref="FormatException">The text is not a sequence-set of numbers from 1.</exception>
    public static UidSet Parse(ReadOnlySpan<char> text) =>
        TryParse(text, out var set) ? set : throw new FormatException("Not a UID set.");

    /// <summary>Reads ranges in any order and either direction ("9:7,1"), without "*".</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out UidSet set)
    {
        set = Empty;
        if (text.IsEmpty)
            return true;
        var builder = new Builder();
        List<UidRange>? unordered = null;
        while (true)
        {
            if (!TryReadNumber(ref text, out var first))
                return false;
            var last = first;
            if (!text.IsEmpty && text[0] == ':')
            {
                text = text[1..];
                if (!TryReadNumber(ref text, out last))
                    return false;
                if (last < first)
                    (first, last) = (last, first);
            }
            if (unordered is null && !builder.CanAdd(first))
                unordered = [.. builder.Build()._ranges];
            if (unordered is not null)
                unordered.Add(new(first, last));
            else
                builder.Add(new UidRange(first, last));
            if (text.IsEmpty)
                break;
            if (text[0] != ',')
                return false;
            text = text[1..];
        }
        set = unordered is null ? builder.Build() : FromRanges(unordered);
        return true;
    }

    // RFC 9051 §9 nz-number: from 1, no leading zero, below 2^32.
    private static bool TryReadNumber(ref ReadOnlySpan<char> text, out uint number)
    {
        ulong value = 0;
        var length = 0;
        while (length < text.Length && text[length] is >= '0' and <= '9' and var digit)
        {
            value = value * 10 + (uint)(digit - '0');
            if (value > uint.MaxValue || value == 0)
                break;
            length++;
        }
        number = (uint)value;
        text = text[length..];
        return length > 0 && value is > 0 and <= uint.MaxValue;
    }

    public bool Contains(uint uid) => RangeOf(uid) is not null;

    /// <summary>The range that the number lies in, if it is one of the set.</summary>
    public UidRange? RangeOf(uint uid)
    {
        int low = 0, high = _ranges.Length - 1;
        while (low <= high)
        {
            var middle = (low + high) >>> 1;
            if (uid < _ranges[middle].First)
                high = middle - 1;
            else if (uid > _ranges[middle].Last)
                low = middle + 1;
            else
                return _ranges[middle];
        }
        return null;
    }

    /// <summary>The ranges that have a number from <paramref name="first"/> to <paramref name="last"/>.</summary>
    internal ReadOnlySpan<UidRange> RangesWithin(uint first, uint last)
    {
        var from = BeginningsUpTo(first);
        if (from > 0 && _ranges[from - 1].Last >= first)
            from--;
        return _ranges.AsSpan(from, Math.Max(0, BeginningsUpTo(last) - from));
    }

    // How many ranges do not begin above a number.
    private int BeginningsUpTo(uint uid)
    {
        int low = 0, high = _ranges.Length;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (_ranges[middle].First <= uid)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }

    public UidSet Union(UidSet other)
    {
        if (IsEmpty)
            return other;
        if (other.IsEmpty)
            return this;
        var builder = new Builder();
        int i = 0, j = 0;
        while (i < _ranges.Length || j < other._ranges.Length)
        {
            if (j == other._ranges.Length || (i < _ranges.Length && _ranges[i].First <= other._ranges[j].First))
                builder.Add(_ranges[i++]);
            else
                builder.Add(other._ranges[j++]);
        }
        return builder.Build();
    }

    public UidSet Intersect(UidSet other)
    {
        var builder = new Builder();
        int i = 0, j = 0;
        while (i < _ranges.Length && j < other._ranges.Length)
        {
            var (a, b) = (_ranges[i], other._ranges[j]);
            var first = Math.Max(a.First, b.First);
            var last = Math.Min(a.Last, b.Last);
            if (first <= last)
                builder.Add(new UidRange(first, last));
            if (a.Last < b.Last)
                i++;
            else
                j++;
        }
        return builder.Build();
    }

    public UidSet Except(UidSet other)
    {
        if (other.IsEmpty || IsEmpty)
            return this;
        var builder = new Builder();
        var j = 0;
        foreach (var range in _ranges)
        {
            // The next number of this range that is not yet decided; 64 bits, because it may pass 2^32 - 1.
            ulong next = range.First;
            while (j < other._ranges.Length && other._ranges[j].Last < next)
                j++;
            for (var k = j; k < other._ranges.Length && other._ranges[k].First <= range.Last && next <= range.Last; k++)
            {
                if (other._ranges[k].First > next)
                    builder.Add(new UidRange((uint)next, other._ranges[k].First - 1));
                next = (ulong)other._ranges[k].Last + 1;
            }
            if (next <= range.Last)
                builder.Add(new UidRange((uint)next, range.Last));
        }
        return builder.Build();
    }

    public Enumerator GetEnumerator() => new(_ranges);

    public uint[] ToArray()
    {
        var all = new uint[Count];
        var i = 0;
        foreach (var uid in this)
            all[i++] = uid;
        return all;
    }

    public override string ToString()
    {
        if (_ranges.Length == 0)
            return "";
        var text = new StringBuilder();
        foreach (var range in _ranges)
        {
            if (text.Length > 0)
                text.Append(',');
            text.Append(CultureInfo.InvariantCulture, $"{range.First}");
            if (range.Last > range.First)
                text.Append(CultureInfo.InvariantCulture, $":{range.Last}");
        }
        return text.ToString();
    }

    public bool Equals(UidSet? other) => other is not null && _ranges.AsSpan().SequenceEqual(other._ranges);

    public override bool Equals(object? obj) => Equals(obj as UidSet);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(MemoryMarshal.AsBytes(_ranges.AsSpan()));
        return hash.ToHashCode();
    }

    public struct Enumerator
    {
        private readonly UidRange[] _ranges;
        private int _range;
        private uint _next;
        private bool _inside;

        internal Enumerator(UidRange[] ranges) => _ranges = ranges;

        public uint Current { readonly get; private set; }

        public bool MoveNext()
        {
            if (!_inside)
            {
                if (_range == _ranges.Length)
                    return false;
                _next = _ranges[_range].First;
                _inside = true;
            }
            Current = _next;
            if (_next == _ranges[_range].Last)
            {
                _range++;
                _inside = false;
            }
            else
            {
                _next++;
            }
            return true;
        }
    }

    /// <summary>Collects numbers and ranges that come ordered by their first number.</summary>
    public struct Builder
    {
        private UidRange[]? _ranges;
        private int _count;

        public readonly bool IsEmpty => _count == 0;

        internal readonly bool CanAdd(uint first) => _count == 0 || first >= _ranges![_count - 1].First;

        public void Add(uint uid) => Add(new UidRange(uid, uid));

        public void Add(UidRange range)
        {
            if (_count > 0)
            {
                ref var last = ref _ranges![_count - 1];
                if (range.First < last.First)
                    throw new ArgumentException("Ranges must come in ascending order.", nameof(range));
                if (range.First <= last.Last || range.First == last.Last + 1)
                {
                    if (range.Last > last.Last)
                        last = new(last.First, range.Last);
                    return;
                }
            }
            if (_ranges is null)
                _ranges = new UidRange[4];
            else if (_count == _ranges.Length)
                Array.Resize(ref _ranges, _count * 2);
            _ranges[_count++] = range;
        }

        public readonly UidSet Build() => _count == 0 ? Empty : new(_ranges.AsSpan(0, _count).ToArray());
    }
}
