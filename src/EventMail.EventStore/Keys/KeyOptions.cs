namespace EventMail.EventStore;

public sealed record KeyOptions
{
    /// <summary>Where the wrapping keys are; `keys` in the data folder when null. Nodes that share a database share this folder.</summary>
    public string? Folder { get; init; }

    /// <summary>Whether contents are stored encrypted from now on. What is stored already is read either way.</summary>
    public bool EncryptContents { get; init; } = true;

    /// <summary>Whether personal members of events are sealed from now on. What is sealed already is opened either way.</summary>
    public bool SealEvents { get; init; } = true;

    /// <summary>Data subjects whose keys are kept in memory.</summary>
    public int CachedSubjects { get; init; } = 10_000;
}
