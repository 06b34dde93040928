namespace EventMail.EventStore.Proof;

/// <summary>Computes the hashes of events, and finds out whose fault it is where one is another than the event says.</summary>
internal sealed class ChainHashes(ChainRows rows)
{
    public async Task<List<ChainFault>> FaultsAsync(List<ChainLink> links, CancellationToken cancel)
    {
        var faults = new List<ChainFault>();
        foreach (var (row, previous) in links)
        {
            if (Matches(row, previous) || await IsItsPredecessorAsync(row, cancel))
                continue;
            faults.Add(ChainFault.Of(
                ChainFaultKind.Changed, row, "it does not have the hash that it was written with: one of its columns was changed, or its hash"));
        }
        return faults;
    }

    private static bool Matches(ChainRow row, byte[]? previous) =>
        EventHash.Of(row.Facts with { Previous = previous }).AsSpan().SequenceEqual(row.Hash);

    // The event is as it was written, but what stands before it says another hash than it had: that one is told of, where it stands.
    private async Task<bool> IsItsPredecessorAsync(ChainRow row, CancellationToken cancel)
    {
        var version = row.Facts.Version;
        if (version < 2)
            return false;
        var before = await rows.StretchAsync(row.Stream, version - 2, version - 1, cancel);
        if (before.Count == 0 || before[^1] is not { } predecessor || predecessor.Facts.Version != version - 1)
            return false;
        var beforeThat = before[0].Facts.Version == version - 2 ? before[0].Followed() : null;
        return Matches(row, EventHash.Of(predecessor.Facts with { Previous = beforeThat }));
    }
}
