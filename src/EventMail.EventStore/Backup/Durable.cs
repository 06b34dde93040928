namespace EventMail.EventStore.Backup;

/// <summary>New files for their owner alone.</summary>
internal static class Durable
{
    /// <summary>A new file in the place of one that may be there. Whoever writes to it brings octets together.</summary>
    public static FileStream Create(string path) => new(path, new FileStreamOptions
    {
        Mode = FileMode.Create,
        Access = FileAccess.Write,
        Options = FileOptions.Asynchronous,
        BufferSize = 0,
        UnixCreateMode = OwnFolders.FileMode,
    });
}
