using System.Collections.Concurrent;
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
    public string PathOf(string name) => ContentFileNames.PathOf(Root, name);

    private static string NameOf(ContentFile content) => content.Key is null
        ? ContentFileNames.Plain(content.Digest)
        : ContentFileNames.Encrypted(content.Digest, content.Number);

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
    /// <returns>
    /// False for an encrypted one whose name is taken: by the same bytes under the same number, which was given out before in a database that is
    /// another one now (an older one was restored beside newer files). That file stays: somebody may need it.
    /// </returns>
    public async Task<bool> TryCommitAsync(SafeFileHandle file, string temporary, ContentFile content, CancellationToken cancel)
    {
        var path = PathOf(content);
        await _syncs.WaitAsync(cancel);
        try
        {
            return await Task.Run(() =>
            {
                RandomAccess.FlushToDisk(file);
                var folder = Path.GetDirectoryName(path)!;
                OwnFolders.Make(Path.GetDirectoryName(folder)!);
                OwnFolders.Make(folder);
                try
                {
                    File.Move(temporary, path, overwrite: content.Key is null);
                }
                catch (IOException) when (content.Key is not null && File.Exists(path))
                {
                    return false;
                }
                OwnFolders.Sync(folder);
                SyncParents(folder);
                return true;
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
