namespace EventMail.EventStore;

public sealed record ContentOptions
{
    /// <summary>
    /// Contents of more bytes than this are files, smaller ones rows. Measured (bench: content): at 16 KiB a row is written for less,
    /// from 64 KiB on a file is both written and read for less.
    /// </summary>
    public int FileThreshold { get; init; } = 64 * 1024;

    /// <summary>Where the files are; `content` in the data folder when null. Nodes that share a database share this folder.</summary>
    public string? Folder { get; init; }

    /// <summary>How many bytes of recently written or read contents stay in memory.</summary>
    public long RecentBytes { get; init; } = 64L * 1024 * 1024;

    /// <summary>A file without a row is deleted when it is older than this.</summary>
    public TimeSpan OrphanAge { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How often orphans are looked for.</summary>
    public TimeSpan OrphanInterval { get; init; } = TimeSpan.FromMinutes(30);
}
