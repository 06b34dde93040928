using System.ComponentModel;
using System.Runtime.InteropServices;

namespace EventMail.EventStore.Embedded;

/// <summary>The few calls to the C library that .NET has no words for.</summary>
internal static partial class Posix
{
    public const int SigInt = 2, SigQuit = 3, SigKill = 9, SigTerm = 15;

    public static bool IsRoot => GetEffectiveUserId() == 0;

    /// <summary>Sends a signal; false when there is no such process any more.</summary>
    public static bool Signal(int pid, int signal)
    {
        if (Kill(pid, signal) == 0)
            return true;
        const int noSuchProcess = 3;
        return Marshal.GetLastPInvokeError() == noSuchProcess
            ? false
            : throw new Win32Exception(Marshal.GetLastPInvokeError(), $"Cannot send signal {signal} to process {pid}");
    }

    public static void ChangeOwner(string path, PostgresAccount owner)
    {
        if (ChangeOwner(path, owner.UserId, owner.GroupId) != 0)
            throw new Win32Exception(Marshal.GetLastPInvokeError(), $"Cannot give {path} to {owner.Name}");
    }

    /// <summary>flock(2): locks belong to the open file, so they end with the process however it ends.</summary>
    public static bool TryLock(SafeHandle file, bool exclusive)
    {
        const int shared = 1, exclusiveLock = 2, nonBlocking = 4;
        const int interrupted = 4, wouldBlock = 11, wouldBlockBsd = 35;
        while (Flock(file, (exclusive ? exclusiveLock : shared) | nonBlocking) != 0)
        {
            var error = Marshal.GetLastPInvokeError();
            if (error is wouldBlock or wouldBlockBsd)
                return false;
            if (error != interrupted)
                throw new Win32Exception(error, "Cannot lock a file of the data folder");
        }
        return true;
    }

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint GetEffectiveUserId();

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);

    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwner(string path, uint user, uint group);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Flock(SafeHandle file, int operation);
}
