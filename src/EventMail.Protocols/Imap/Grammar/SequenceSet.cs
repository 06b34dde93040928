using System.Buffers.Text;
using EventMail.Domain.Mailboxes;

namespace EventMail.Protocols.Imap.Grammar;

/// <summary>
/// sequence-set = (seq-number / seq-range) *("," …) / "$": ranges in the client's order; <see cref="Star"/> stands for "*".
/// </summary>
internal readonly struct SequenceSet(IReadOnlyList<(uint From, uint To)> ranges)
{
    /// <summary>Zero is no nz-number, so it is free to mean the largest one in use.</summary>
    public const uint Star = 0;

    public IReadOnlyList<(uint From, uint To)> Ranges => ranges;

    /// <summary>"$": the messages that a search saved (RFC 5182).</summary>
    public bool IsSaved { get; private init; }

    public static SequenceSet Saved { get; } = new([]) { IsSaved = true };

    /// <summary>The numbers, whoever has them.</summary>
    /// <param name="star">What "*" stands for.</param>
    public UidSet ToUidSet(uint star) => UidSet.FromRanges(ranges.Select(range =>
    {
        var (from, to) = (range.From == Star ? star : range.From, range.To == Star ? star : range.To);
        return new UidRange(Math.Min(from, to), Math.Max(from, to));
    }));
}

internal ref partial struct CommandParser
{
    /// <summary>nz-number is below 2^32 (RFC 3501 §9).</summary>
    public bool ExpectSequenceSet(out SequenceSet set)
    {
        set = default;
        if (TryByte('$'))
        {
            set = SequenceSet.Saved;
            return true;
        }

        var ranges = new List<(uint, uint)>();
        do
        {
            if (!TrySeqNumber(out var from))
                return Fail("Invalid message set");
            var to = from;
            if (TryByte(':') && !TrySeqNumber(out to))
                return Fail("Invalid message set");
            ranges.Add((from, to));
        }
        while (TryByte(','));
        set = new(ranges);
        return true;
    }

    // seq-number = nz-number / "*"
    private bool TrySeqNumber(out uint number)
    {
        number = SequenceSet.Star;
        if (TryByte('*'))
            return true;
        if (Peek is < '1' or > '9' || !Utf8Parser.TryParse(Rest, out number, out var length))
            return false;
        _at += length;
        return true;
    }
}
