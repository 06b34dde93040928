namespace EventMail.Host.Configuration;

/// <summary>Where backups go that are begun over HTTP (docs/backup.md): who has a key chooses no files of this machine.</summary>
public sealed record BackupSettings
{
    /// <summary>The backup's folder; empty: none is taken over HTTP.</summary>
    public string Folder { get; init; } = "";

    /// <summary>Where the keys and the settings file go, which must not lie beside the backup; empty: they are not copied.</summary>
    public string Keys { get; init; } = "";
}
