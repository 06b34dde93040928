using EventMail.Domain.Mailboxes;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Searching;

/// <summary>A sequence-set whose order counts, as in the answers to an extended SORT (RFC 5267 §3.2).</summary>
internal static class OrderedRanges
{
    private const int RangesAtOnce = 1024;

    /// <summary>"5,3:4": what ascends by one is a range, so that the order stays.</summary>
    public static List<UidRange> Of(IEnumerable<uint> names)
    {
        var runs = new List<UidRange>();
        foreach (var name in names)
        {
            if (runs.Count > 0 && runs[^1].Last + 1 == name)
                runs[^1] = new(runs[^1].First, name);
            else
                runs.Add(new(name, name));
        }

        return runs;
    }

    public static async ValueTask WriteAsync(ImapWriter writer, IReadOnlyList<UidRange> ranges)
    {
        for (var i = 0; i < ranges.Count; i++)
        {
            if (i > 0)
                writer.Byte((byte)',');
            Write(writer, ranges[i]);
            if ((i + 1) % RangesAtOnce == 0 && !await writer.FlushIfFullAsync().ConfigureAwait(false))
                break;
        }
    }

    private static void Write(ImapWriter writer, UidRange range)
    {
        writer.Number(range.First);
        if (range.Last == range.First)
            return;
        writer.Byte((byte)':');
        writer.Number(range.Last);
    }
}
