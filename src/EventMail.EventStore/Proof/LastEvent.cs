namespace EventMail.EventStore;

/// <summary>What the next event of a stream follows: the hash and the time of the one before it.</summary>
/// <param name="Hash">Null while it is not known, or not computed yet: its event is part of the batch that is being decided.</param>
internal readonly record struct LastEvent(byte[]? Hash, DateTimeOffset Time)
{
    /// <summary>Of an event that the log should have and does not: known to be nothing, so that nobody looks again. Verification names it.</summary>
    public static readonly LastEvent Missing = new([], default);

    /// <summary>Of an event without a hash only the time is known: its hash is computed from its row.</summary>
    public static LastEvent Of(StoredEvent e) => new(e.HashOctets, e.Timestamp);

    public bool Equals(LastEvent other) => Time == other.Time && Hash.AsSpan().SequenceEqual(other.Hash);

    public override int GetHashCode() => Time.GetHashCode();
}
