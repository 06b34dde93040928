namespace EventMail.EventStore.Proof;

/// <summary>Collects where the log and the tree that was kept of it differ, and says what that means.</summary>
internal sealed class LeafDifferences
{
    /// <summary>More are counted only.</summary>
    public const int Max = 100_000;

    private readonly List<(long Position, TreeHash? Was, TreeHash? Is)> _differences = [];
    private readonly HashSet<TreeHash> _gone = [];

    public long More { get; private set; }

    /// <summary>The event stood before what was added so far, and does not any more.</summary>
    public bool IsGone(TreeHash e) => _gone.Contains(e);

    /// <param name="was">What the tree has at the position; null: nothing.</param>
    /// <param name="now">What the log has there.</param>
    public void Add(long position, TreeHash? was, TreeHash? now)
    {
        if (_differences.Count >= Max)
        {
            More++;
            return;
        }
        _differences.Add((position, was, now));
        if (was is { } old)
            _gone.Add(old);
    }

    /// <summary>In the order of positions.</summary>
    public IReadOnlyList<LeafFinding> Findings()
    {
        var (before, today) = (new Dictionary<TreeHash, long>(), new Dictionary<TreeHash, long>());
        foreach (var (position, was, now) in _differences)
        {
            if (was is { } old)
                before.TryAdd(old, position);
            if (now is { } other)
                today.TryAdd(other, position);
        }
        var findings = new List<LeafFinding>();
        foreach (var (position, was, now) in _differences)
        {
            var wentTo = was is { } old && today.TryGetValue(old, out var to) ? to : default(long?);
            var cameFromElsewhere = now is { } other && before.ContainsKey(other);
            if (wentTo is not null)
                findings.Add(new(LeafFault.Moved, position, wentTo));
            else if (was is not null)
                findings.Add(new(now is null || cameFromElsewhere ? LeafFault.Removed : LeafFault.Changed, position));
            if (now is not null && !cameFromElsewhere && (was is null || wentTo is not null))
                findings.Add(new(LeafFault.Inserted, position));
        }
        return findings;
    }
}
