namespace EventMail.Host.Configuration;

/// <summary>The keys that encrypt what is stored. They are files outside the database: without them it cannot be read.</summary>
public sealed record KeySettings
{
    /// <summary>Where the wrapping keys are; `keys` in the data folder when empty. Hosts that share a database share this folder.</summary>
    public string Folder { get; init; } = "";

    /// <summary>Messages are stored encrypted from then on. Turn it off only where the disk is encrypted and nothing is ever to be erased.</summary>
    public bool EncryptContents { get; init; } = true;

    /// <summary>
    /// Addresses, names and clients' addresses in events are sealed from then on. Turn it off only where the disk is encrypted and nobody is ever
    /// to be erased.
    /// </summary>
    public bool SealEvents { get; init; } = true;

    /// <summary>Accounts whose keys are kept in memory; those of others are read when they are needed.</summary>
    [Range(100, 10_000_000)]
    public int CachedSubjects { get; init; } = 10_000;
}
