using EventMail.Domain.Metadata;
using EventMail.Projections.Metadata;

namespace EventMail.Protocols.Imap.Annotations;

/// <summary>What GETMETADATA and LIST's RETURN (METADATA …) ask for.</summary>
internal sealed record MetadataQuestion(IReadOnlyList<string> Entries)
{
    /// <summary>RFC 5464 §4.2.2: levels below each entry that are told as well.</summary>
    public int Depth { get; init; }

    /// <summary>RFC 5464 §4.2.1: octets of the largest value that is told.</summary>
    public long MaxSize { get; init; } = long.MaxValue;

    /// <summary>
    /// Each entry once; one that was named and is not there, nor anything below it that was asked for, has no value.
    /// </summary>
    /// <param name="longest">The octets of the largest value that was left out, or 0.</param>
    public List<(string Entry, byte[]? Value)> Answer(IReadOnlyList<MetadataValue> values, out long longest)
    {
        longest = 0;
        var answer = new List<(string, byte[]?)>();
        var told = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var wanted in Entries)
        {
            var found = false;
            foreach (var (entry, value) in values)
            {
                var depth = MetadataEntry.Depth(entry, wanted);
                if (depth < 0 || depth > Depth)
                    continue;
                found = true;
                if (!told.Add(entry))
                    continue;
                if (value.Length > MaxSize)
                    longest = Math.Max(longest, value.Length);
                else
                    answer.Add((entry, value));
            }

            if (!found && told.Add(wanted))
                answer.Add((wanted, null));
        }

        return answer;
    }
}
