using System.Collections.Immutable;

namespace EventMail.Domain.Metadata;

/// <param name="Account">Whose; null for a shared entry.</param>
/// <param name="Entry">Compared in any case.</param>
public readonly record struct MetadataKey(string? Account, string Entry)
{
    internal static readonly IComparer<MetadataKey> Order = Comparer<MetadataKey>.Create(static (a, b) =>
    {
        var account = string.CompareOrdinal(a.Account, b.Account);
        return account != 0 ? account : StringComparer.OrdinalIgnoreCase.Compare(a.Entry, b.Entry);
    });
}

/// <summary>The annotations of a mailbox or of the server, everybody's. Immutable.</summary>
public sealed record MetadataState
{
    public static readonly MetadataState Empty = new();

    /// <summary>The mailbox's stream, or null.</summary>
    public Guid? Mailbox { get; private init; }

    /// <summary>The values' octets.</summary>
    public long Octets { get; private init; }

    public ImmutableSortedDictionary<MetadataKey, byte[]> Entries { get; private init; } =
        ImmutableSortedDictionary.Create<MetadataKey, byte[]>(MetadataKey.Order);

    /// <summary>Octets of names and values by who has annotated: the owner of what is annotated for shared entries.</summary>
    public IReadOnlyDictionary<string, long> OctetsBy(string owner)
    {
        var octets = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (var (key, value) in Entries)
            octets[key.Account ?? owner] = octets.GetValueOrDefault(key.Account ?? owner) + key.Entry.Length + value.Length;
        return octets;
    }

    public MetadataState Evolve(MetadataSet e)
    {
        var (entries, octets) = (Entries.ToBuilder(), Octets);
        foreach (var change in e.Entries)
        {
            var key = new MetadataKey(change.Account, change.Entry);
            if (entries.TryGetValue(key, out var before))
            {
                octets -= before.Length;
                // The name as it was written last.
                entries.Remove(key);
            }

            if (change.Value is null)
                continue;
            octets += change.Value.Length;
            entries.Add(key, change.Value);
        }

        return new() { Mailbox = e.Mailbox ?? Mailbox, Octets = octets, Entries = entries.ToImmutable() };
    }
}
