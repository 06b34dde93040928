using System.Runtime.InteropServices;

namespace EventMail.EventStore;

/// <summary>Folders and files for their owner alone, whatever the umask, and durable when their names are given out.</summary>
public static partial class OwnFolders
{
    public const UnixFileMode FileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private const UnixFileMode FolderMode = FileMode | UnixFileMode.UserExecute;

    /// <summary>Made when it is not there. A parent made along the way has the mode of the umask.</summary>
    public static void Make(string path) => Directory.CreateDirectory(path, FolderMode);

    /// <summary>Puts the mode right of a folder that an older program made.</summary>
    public static void Close(string path)
    {
        if (File.GetUnixFileMode(path) != FolderMode)
            File.SetUnixFileMode(path, FolderMode);
    }

    /// <summary>Makes the names in a folder durable.</summary>
    public static void Sync(string folder)
    {
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
