using EventMail.Domain.Metadata;

namespace EventMail.Projections.Metadata;

/// <summary>What one account sees, by entry.</summary>
internal sealed class SortedMetadata
{
    private readonly SortedDictionary<string, MetadataValue> _values = new(StringComparer.OrdinalIgnoreCase);

    public void Add(string entry, byte[] value) => _values[entry] = new(entry, value);

    public void Add(MetadataState state, string account)
    {
        foreach (var (key, value) in state.Entries)
        {
            if (key.Account is null || key.Account == account)
                Add(key.Entry, value);
        }
    }

    // RFC 6154 §4: the attributes as LIST shows them.
    public void AddSpecialUse(string? use)
    {
        if (use is not null)
            Add(MetadataEntry.SpecialUse, System.Text.Encoding.ASCII.GetBytes(use));
    }

    public List<MetadataValue> ToList() => [.. _values.Values];
}
