namespace EventMail.EventStore;

public sealed record KeyOptions
{
    /// <summary>Where the wrapping keys are; `keys` in the data folder when null. Nodes that share a database share this folder.</summary>
    public string? Folder { get; init; }

    /// <summary>Whether contents are stored encrypted from now on. What is stored already is read either way.</summary>
    public bool EncryptContents { get; init; } = true;
}
