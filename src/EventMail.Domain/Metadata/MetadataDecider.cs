namespace EventMail.Domain.Metadata;

/// <summary>Why annotations refuse (RFC 5464 §4.3).</summary>
public static class MetadataRejections
{
    /// <summary>NO [METADATA MAXSIZE n].</summary>
    public static readonly Rejection TooLarge = Rejection.Limit("Value too large");

    /// <summary>NO [METADATA TOOMANY].</summary>
    public static readonly Rejection TooMany = Rejection.Limit("Too many annotations");

    /// <summary>NO [OVERQUOTA] (RFC 5530 §3): all that the account has annotated together.</summary>
    public static readonly Rejection TooMuch = new(RejectionKind.OverQuota, "Too much is annotated");

    public static readonly Rejection ReadOnly = new(RejectionKind.CannotChange, "That entry is read-only");
}

/// <summary>What may be annotated. Pure.</summary>
public static class MetadataDecider
{
    /// <summary>All of the changes or none of them. Null when nothing changes.</summary>
    /// <param name="mailbox">Null for the server's.</param>
    public static Result<MetadataSet?> Set(MetadataState state, Guid? mailbox, IReadOnlyList<MetadataChange> changes)
    {
        var news = new List<MetadataChange>(changes.Count);
        foreach (var change in changes)
        {
            if (change.Value?.Length > MetadataLimits.MaxValue)
                return MetadataRejections.TooLarge;
            if (IsReadOnly(mailbox, change.Entry))
                return MetadataRejections.ReadOnly;
            var known = state.Entries.TryGetValue(new(change.Account, change.Entry), out var value);
            if (change.Value is null ? known : !known || !value.AsSpan().SequenceEqual(change.Value))
                news.Add(change);
        }

        if (news.Count == 0)
            return new Result<MetadataSet?>(null, null);
        var e = new MetadataSet(mailbox, [.. news]);
        var after = state.Evolve(e);
        foreach (var account in news.Where(change => change.Value is not null).Select(change => change.Account).Distinct())
        {
            var (count, octets) = (0, 0L);
            foreach (var (key, value) in after.Entries)
            {
                if (key.Account == account)
                    (count, octets) = (count + 1, octets + value.Length);
            }

            if (count > MetadataLimits.MaxEntries || octets > MetadataLimits.MaxOctets)
                return MetadataRejections.TooMany;
        }

        return e;
    }

    /// <summary>Annotations become again what they were, as what was is no news to any limit. Null when they are.</summary>
    /// <param name="removeLater">What came since goes.</param>
    public static MetadataSet? Restore(MetadataState state, MetadataState wanted, bool removeLater)
    {
        var changes = wanted.Entries
            .Where(entry => !state.Entries.TryGetValue(entry.Key, out var value) || !value.AsSpan().SequenceEqual(entry.Value))
            .Select(entry => new MetadataChange(entry.Key.Entry, entry.Key.Account, entry.Value)).ToList();
        if (removeLater)
            changes.AddRange(state.Entries.Keys.Where(key => !wanted.Entries.ContainsKey(key)).Select(key => new MetadataChange(key.Entry, key.Account, null)));
        return changes.Count == 0 ? null : new(wanted.Mailbox ?? state.Mailbox, [.. changes]);
    }

    private static bool IsReadOnly(Guid? mailbox, string entry) =>
        MetadataEntry.Is(entry, mailbox is null ? MetadataEntry.Admin : MetadataEntry.SpecialUse);

    /// <summary>RFC 5464 §4.1: a renamed INBOX leaves its annotations where its messages go, and keeps them.</summary>
    public static MetadataSet? Copy(MetadataState from, Guid to) => from.Entries.Count == 0
        ? null
        : new(to, [.. from.Entries.Select(entry => new MetadataChange(entry.Key.Entry, entry.Key.Account, entry.Value))]);
}
