namespace EventMail.EventStore;

/// <summary>What the next event of a stream follows: the hash and the time of the one before it.</summary>
/// <param name="Hash">Null while it is not known, or not computed yet: its event is part of the batch that is being decided.</param>
internal readonly record struct LastEvent(byte[]? Hash, DateTimeOffset Time)
{
    /// <summary>Of an event without a hash only the time is known: its hash is computed from its row.</summary>
    public static LastEvent Of(StoredEvent e) => new(e.HashOctets, e.Timestamp);
}
