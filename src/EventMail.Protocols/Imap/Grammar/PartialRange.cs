using System.Buffers.Text;
using EventMail.Domain.Mailboxes;

namespace EventMail.Protocols.Imap.Grammar;

/// <summary>partial-range (RFC 9394 §4): positions in a list of results, from its beginning or, with "-", from its end.</summary>
/// <param name="From">As the client wrote it, for the answer.</param>
/// <param name="To">As the client wrote it.</param>
internal readonly record struct PartialRange(uint From, uint To, bool FromEnd)
{
    /// <summary>The nearest position to the end it counts from, from 1.</summary>
    public uint First => Math.Min(From, To);

    /// <summary>The farthest.</summary>
    public uint Last => Math.Max(From, To);

    /// <summary>Those of the numbers that lie in the range.</summary>
    public UidSet Of(UidSet numbers)
    {
        // Positions from the beginning, from 0 to before end.
        var (start, end) = FromEnd
            ? (Math.Max(0, numbers.Count - Last), numbers.Count - First + 1)
            : (First - 1L, Math.Min(numbers.Count, Last));
        var found = new UidSet.Builder();
        var at = 0L;
        foreach (var range in numbers.Ranges)
        {
            var first = Math.Max(start, at);
            var last = Math.Min(end, at + range.Count);
            if (first < last)
                found.Add(new UidRange((uint)(range.First + (first - at)), (uint)(range.First + (last - at) - 1)));
            at += range.Count;
            if (at >= end)
                break;
        }

        return found.Build();
    }

    /// <summary>The same of numbers in an order of their own.</summary>
    public uint[] Of(uint[] ordered)
    {
        var (start, end) = FromEnd
            ? (Math.Max(0, ordered.LongLength - Last), ordered.LongLength - First + 1)
            : (First - 1L, Math.Min(ordered.LongLength, Last));
        return start < end ? ordered[(int)start..(int)end] : [];
    }

    public override string ToString() => FromEnd ? $"-{From}:-{To}" : $"{From}:{To}";
}

internal ref partial struct CommandParser
{
    // partial-range = nz-number ":" nz-number / "-" nz-number ":-" nz-number
    public bool ExpectPartialRange(out PartialRange range)
    {
        range = default;
        var fromEnd = TryByte('-');
        if (!TryNonZero(out var from) || !TryByte(':') || fromEnd != TryByte('-') || !TryNonZero(out var to))
            return Fail("Invalid PARTIAL range");
        range = new(from, to, fromEnd);
        return true;
    }

    private bool TryNonZero(out uint number)
    {
        number = 0;
        if (Peek is < '1' or > '9' || !Utf8Parser.TryParse(Rest, out number, out var length))
            return false;
        _at += length;
        return true;
    }
}
