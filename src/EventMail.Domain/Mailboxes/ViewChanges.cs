using System.Buffers;

namespace EventMail.Domain.Mailboxes;

/// <summary>
/// What became of a mailbox's messages between two of its versions: which are gone, and which have other marks (flags and MODSEQ). What
/// came between them is not in it, except as far as something became of it later still. Immutable.
/// </summary>
public sealed class ViewChanges
{
    private const byte FormatVersion = 1;

    // Damaged bytes ask for no more memory than this many take; a mailbox that has them is folded from the log.
    private const int MaxRanges = 1 << 24;

    /// <summary>Messages with the same marks. A UID in between that is no message's means nothing: it will never be one's again.</summary>
    internal readonly record struct Run(uint First, uint Last, ulong Flags, long ModSeq);

    public static readonly ViewChanges None = new(UidSet.Empty, []);

    // Ascending and disjoint.
    private readonly Run[] _runs;

    private ViewChanges(UidSet gone, Run[] runs) => (Gone, _runs) = (gone, runs);

    public UidSet Gone { get; }

    public static ViewChanges Between(MailboxView before, MailboxView after)
    {
        var diff = ViewDiff.Between(before, after);
        var (runs, next) = (new List<Run>(), -1);
        foreach (var changed in diff.Changed)
        {
            var since = changed.In(after);
            for (var i = 0; i < since.Length; i++)
            {
                var run = new Run(since.Uids[i], since.Uids[i], since.Flags[i], since.ModSeqs[i]);
                // Nothing that did not change lies between the two.
                if (next == changed.Index + i && runs[^1] is var last && last.Flags == run.Flags && last.ModSeq == run.ModSeq)
                    runs[^1] = last with { Last = run.Last };
                else
                    runs.Add(run);
                next = changed.Index + i + 1;
            }
        }
        return new(diff.Vanished, [.. runs]);
    }

    /// <summary>These, and what became of the messages after them: the later word counts.</summary>
    public ViewChanges Then(ViewChanges later)
    {
        var said = UidSet.FromRanges(later._runs.Select(run => new UidRange(run.First, run.Last))).Union(later.Gone);
        var runs = new List<Run>(_runs.Length + later._runs.Length);
        var (at, added) = (0, 0);
        foreach (var run in _runs)
        {
            // In 64 bits: it may pass the highest UID.
            ulong next = run.First;
            while (at < said.Ranges.Length && said.Ranges[at].Last < next)
                at++;
            for (var i = at; i < said.Ranges.Length && said.Ranges[i].First <= run.Last && next <= run.Last; i++)
            {
                if (said.Ranges[i].First > next)
                    Add(run with { First = (uint)next, Last = said.Ranges[i].First - 1 });
                next = (ulong)said.Ranges[i].Last + 1;
            }
            if (next <= run.Last)
                Add(run with { First = (uint)next });
        }
        runs.AddRange(later._runs.AsSpan(added));
        return new(Gone.Union(later.Gone), [.. runs]);

        void Add(Run run)
        {
            for (; added < later._runs.Length && later._runs[added].First < run.First; added++)
                runs.Add(later._runs[added]);
            runs.Add(run);
        }
    }

    /// <summary>The runs that have a UID from <paramref name="first"/> to <paramref name="last"/>.</summary>
    internal ReadOnlySpan<Run> RunsWithin(uint first, uint last)
    {
        var from = BeginningsUpTo(first);
        if (from > 0 && _runs[from - 1].Last >= first)
            from--;
        return _runs.AsSpan(from, Math.Max(0, BeginningsUpTo(last) - from));
    }

    // How many runs do not begin above a UID.
    private int BeginningsUpTo(uint uid)
    {
        int low = 0, high = _runs.Length;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (_runs[middle].First <= uid)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }

    /// <summary>
    /// A version; the number of ranges that are gone, and of runs; columns (<see cref="ColumnFormat"/>) of where each range begins behind the one
    /// before and how long it is, the same of the runs, then their flags and MODSEQs.
    /// </summary>
    public byte[] Encode()
    {
        var output = new ArrayBufferWriter<byte>(64 + Gone.Ranges.Length * 4 + _runs.Length * 6);
        output.Write([FormatVersion]);
        ColumnFormat.WriteNumber(output, (ulong)Gone.Ranges.Length);
        ColumnFormat.WriteNumber(output, (ulong)_runs.Length);
        WriteRanges(output, Gone.Ranges);
        WriteRanges(output, Array.ConvertAll(_runs, run => new UidRange(run.First, run.Last)));
        ColumnFormat.Write(output, Array.ConvertAll(_runs, run => (long)run.Flags));
        ColumnFormat.Write(output, Array.ConvertAll(_runs, run => run.ModSeq));
        return output.WrittenSpan.ToArray();
    }

    private static void WriteRanges(ArrayBufferWriter<byte> output, ReadOnlySpan<UidRange> ranges)
    {
        var (gaps, lengths) = (new long[ranges.Length], new long[ranges.Length]);
        var last = 0L;
        for (var i = 0; i < ranges.Length; i++)
        {
            (gaps[i], lengths[i]) = (ranges[i].First - last, (long)ranges[i].Last - ranges[i].First);
            last = ranges[i].Last;
        }
        ColumnFormat.Write(output, gaps);
        ColumnFormat.Write(output, lengths);
    }

    /// <summary>False: not written by <see cref="Encode"/>, damaged, or of another version.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> bytes, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out ViewChanges? changes)
    {
        changes = null;
        if (bytes.IsEmpty || bytes[0] != FormatVersion)
            return false;
        bytes = bytes[1..];
        if (!ColumnFormat.TryReadNumber(ref bytes, out var gone) || !ColumnFormat.TryReadNumber(ref bytes, out var marked)
            || gone > MaxRanges || marked > MaxRanges
            || !TryReadRanges(ref bytes, (int)gone, out var expunged) || !TryReadRanges(ref bytes, (int)marked, out var ranges))
        {
            return false;
        }
        var (flags, modSeqs) = (new long[marked], new long[marked]);
        if (!ColumnFormat.TryRead(ref bytes, flags) || !ColumnFormat.TryRead(ref bytes, modSeqs) || !bytes.IsEmpty)
            return false;
        var runs = new Run[marked];
        for (var i = 0; i < runs.Length; i++)
            runs[i] = new(ranges[i].First, ranges[i].Last, (ulong)flags[i], modSeqs[i]);
        changes = new(UidSet.FromRanges(expunged), runs);
        return true;
    }

    private static bool TryReadRanges(ref ReadOnlySpan<byte> bytes, int count, out UidRange[] ranges)
    {
        ranges = [];
        var (gaps, lengths) = (new long[count], new long[count]);
        if (!ColumnFormat.TryRead(ref bytes, gaps) || !ColumnFormat.TryRead(ref bytes, lengths))
            return false;
        ranges = new UidRange[count];
        var last = 0L;
        for (var i = 0; i < count; i++)
        {
            if (gaps[i] is <= 0 or > uint.MaxValue || lengths[i] is < 0 or > uint.MaxValue || last + gaps[i] + lengths[i] > uint.MaxValue)
                return false;
            ranges[i] = new((uint)(last + gaps[i]), (uint)(last + gaps[i] + lengths[i]));
            last = ranges[i].Last;
        }
        return true;
    }
}
