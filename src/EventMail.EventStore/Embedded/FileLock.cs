using System.Diagnostics;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace EventMail.EventStore.Embedded;

/// <summary>
/// An advisory lock on a file of the data folder (flock). It ends when it is disposed or the process ends, so a killed
/// process never leaves one behind, and PostgreSQL does not inherit it.
/// </summary>
public sealed class FileLock : IDisposable
{
    private readonly SafeFileHandle _file;

    private FileLock(SafeFileHandle file) => _file = file;

    /// <summary>Null when another process holds the lock.</summary>
    public static FileLock? TryTake(string path, bool exclusive = true)
    {
        var file = Posix.OpenLockFile(path);
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        if (Posix.TryLock(file, exclusive))
            return new FileLock(file);
        file.Dispose();
        return null;
    }

    /// <summary>Waits for the lock; a <see cref="TimeoutException"/> says which file could not be locked.</summary>
    public static async Task<FileLock> TakeAsync(string path, bool exclusive, TimeSpan patience, CancellationToken cancel)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            if (TryTake(path, exclusive) is { } taken)
                return taken;
            if (Stopwatch.GetElapsedTime(started) > patience)
                throw new TimeoutException($"Another eventmail process has held {path} for {patience.TotalSeconds:0} s.");
            await Task.Delay(20, cancel);
        }
    }

    /// <summary>Leaves a note for people (who holds the lock, since when).</summary>
    public void Write(string note)
    {
        RandomAccess.SetLength(_file, 0);
        RandomAccess.Write(_file, Encoding.UTF8.GetBytes(note), 0);
    }

    /// <summary>The note of whoever holds the lock.</summary>
    public static string ReadNote(string path)
    {
        using var file = Posix.OpenLockFile(path);
        var note = new byte[256];
        return Encoding.UTF8.GetString(note, 0, RandomAccess.Read(file, note, 0)).Trim();
    }

    /// <summary>Turns a held exclusive lock into a shared one, or tries the other way round.</summary>
    public bool TryConvert(bool exclusive) => Posix.TryLock(_file, exclusive);

    public void Dispose() => _file.Dispose();
}
