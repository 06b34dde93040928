using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace EventMail.EventStore;

/// <summary>
/// Large contents as files: content/ab/cd/[digest in hex], written under content/tmp and renamed when complete. A final name is
/// only ever given to a complete, fsynced file, and the folders are fsynced before the commit that refers to it. They are mail:
/// folders and files are for their owner alone, whatever the umask, and whoever may pass through the data folder.
/// </summary>
internal sealed partial class ContentFiles
{
    private const UnixFileMode OwnersFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnersFolder = OwnersFile | UnixFileMode.UserExecute;

    // Blocking calls (fsync) at a time: each holds a thread.
    private readonly SemaphoreSlim _syncs = new(8);
    private readonly ConcurrentDictionary<string, bool> _synced = new();

    /// <param name="isOurs">The folder is our own: its mode is put right. That of a folder the operator chose stays.</param>
    public ContentFiles(string root, bool isOurs)
    {
        Root = root;
        Temporary = Path.Combine(Root, "tmp");
        MakeFolder(Root);
        if (isOurs && !OperatingSystem.IsWindows() && File.GetUnixFileMode(Root) != OwnersFolder)
            File.SetUnixFileMode(Root, OwnersFolder);
        MakeFolder(Temporary);
    }

    private static void MakeFolder(string path)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(path);
        else
            Directory.CreateDirectory(path, OwnersFolder);
    }

    public string Root { get; }

    public string Temporary { get; }

    public string PathOf(ReadOnlySpan<byte> digest)
    {
        var hex = Convert.ToHexStringLower(digest);
        return Path.Combine(Root, hex[..2], hex[2..4], hex);
    }

    public (SafeFileHandle File, string Path) CreateTemporary()
    {
        var path = Path.Combine(Temporary, Guid.CreateVersion7().ToString("n"));
        var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read | FileShare.Delete, FileOptions.Asynchronous);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(file, OwnersFile); // still empty
        return (file, path);
    }

    public static SafeFileHandle Open(string path) =>
        File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.Asynchronous);

    /// <summary>Makes a temporary file durable under its final name. A file that already has the name holds the same bytes.</summary>
    public async Task<string> CommitAsync(SafeFileHandle file, string temporary, byte[] digest, CancellationToken cancel)
    {
        var path = PathOf(digest);
        await _syncs.WaitAsync(cancel);
        try
        {
            await Task.Run(() =>
            {
                RandomAccess.FlushToDisk(file);
                var folder = Path.GetDirectoryName(path)!;
                MakeFolder(Path.GetDirectoryName(folder)!); // a parent made along the way has the mode of the umask
                MakeFolder(folder);
                File.Move(temporary, path, overwrite: true);
                SyncFolder(folder);
                SyncParents(folder);
            }, cancel);
        }
        finally
        {
            _syncs.Release();
        }
        return path;
    }

    // A folder's own entry needs its parent synced once, whoever made it.
    private void SyncParents(string folder)
    {
        if (_synced.ContainsKey(folder))
            return;
        SyncFolder(Path.GetDirectoryName(folder)!);
        SyncFolder(Root);
        _synced[folder] = true;
    }

    private static void SyncFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
            return; // NTFS journals its folders.
        var descriptor = open(folder, O_RDONLY);
        if (descriptor < 0)
            throw new IOException($"cannot open {folder}: {Marshal.GetLastPInvokeErrorMessage()}");
        try
        {
            if (fsync(descriptor) != 0)
                throw new IOException($"cannot fsync {folder}: {Marshal.GetLastPInvokeErrorMessage()}");
        }
        finally
        {
            _ = close(descriptor);
        }
    }

    private const int O_RDONLY = 0;

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(int descriptor);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int descriptor);
}
