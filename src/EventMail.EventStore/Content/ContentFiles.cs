using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace EventMail.EventStore;

/// <summary>
/// Large contents as files: content/ab/cd/[digest in hex]-[number] where they are encrypted, without the number where not; written under content/tmp and renamed when complete. A final name is
/// only ever given to a complete, fsynced file, and the folders are fsynced before the commit that refers to it. They are mail:
/// folders and files are for their owner alone, whatever the umask, and whoever may pass through the data folder.
/// </summary>
internal sealed class ContentFiles
{
    // Blocking calls (fsync) at a time: each holds a thread.
    private readonly SemaphoreSlim _syncs = new(8);
    private readonly ConcurrentDictionary<string, bool> _synced = new();

    /// <param name="isOurs">The folder is our own: its mode is put right. That of a folder the operator chose stays.</param>
    public ContentFiles(string root, bool isOurs)
    {
        Root = root;
        Temporary = Path.Combine(Root, "tmp");
        OwnFolders.Make(Root);
        if (isOurs)
            OwnFolders.Close(Root);
        OwnFolders.Make(Temporary);
    }

    public string Root { get; }

    public string Temporary { get; }

    public string PathOf(ContentFile content) => PathOf(NameOf(content));

    /// <summary>Where a file of that name belongs.</summary>
    public string PathOf(string name) => Path.Combine(Root, name[..2], name[2..4], name);

    // Each writer of the same bytes has a key of its own, so an encrypted file has a name of its own.
    private static string NameOf(ContentFile content)
    {
        var digest = Convert.ToHexStringLower(content.Digest);
        return content.Key is null ? digest : string.Create(CultureInfo.InvariantCulture, $"{digest}-{content.Number}");
    }

    public (SafeFileHandle File, string Path) CreateTemporary()
    {
        var path = Path.Combine(Temporary, Guid.CreateVersion7().ToString("n"));
        var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read | FileShare.Delete, FileOptions.Asynchronous);
        File.SetUnixFileMode(file, OwnFolders.FileMode); // still empty
        return (file, path);
    }

    public static SafeFileHandle Open(string path) =>
        File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.Asynchronous);

    /// <summary>
    /// Makes a temporary file durable under its final name. A plain file that already has the name holds the same bytes; an encrypted one
    /// has a name of its own.
    /// </summary>
    public async Task CommitAsync(SafeFileHandle file, string temporary, ContentFile content, CancellationToken cancel)
    {
        var path = PathOf(content);
        await _syncs.WaitAsync(cancel);
        try
        {
            await Task.Run(() =>
            {
                RandomAccess.FlushToDisk(file);
                var folder = Path.GetDirectoryName(path)!;
                OwnFolders.Make(Path.GetDirectoryName(folder)!);
                OwnFolders.Make(folder);
                File.Move(temporary, path, overwrite: content.Key is null);
                OwnFolders.Sync(folder);
                SyncParents(folder);
            }, cancel);
        }
        finally
        {
            _syncs.Release();
        }
    }

    // A folder's own entry needs its parent synced once, whoever made it.
    private void SyncParents(string folder)
    {
        if (_synced.ContainsKey(folder))
            return;
        OwnFolders.Sync(Path.GetDirectoryName(folder)!);
        OwnFolders.Sync(Root);
        _synced[folder] = true;
    }
}
