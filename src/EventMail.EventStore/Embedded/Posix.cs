using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

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

    /// <summary>
    /// A folder, no link to one, that belongs to this user and that nobody else can write to: what lies in it was put there by us. Also
    /// false where the operating system is not Linux.
    /// </summary>
    public static bool IsOwnFolder(string path)
    {
        // struct statx (statx(2)) is the same on every architecture: stx_uid at 20, stx_mode at 28.
        const int workingDirectory = -100, noFollow = 0x100;
        const uint typeModeAndOwner = 0x1 | 0x2 | 0x8;
        const int formatMask = 0xF000, folder = 0x4000, othersWrite = 0b000_010_010;
        Span<byte> facts = stackalloc byte[256];
        if (!OperatingSystem.IsLinux() || Statx(workingDirectory, path, noFollow, typeModeAndOwner, facts) != 0)
            return false;
        var (owner, mode) = (MemoryMarshal.Read<uint>(facts[20..]), MemoryMarshal.Read<ushort>(facts[28..]));
        return owner == GetEffectiveUserId() && (mode & formatMask) == folder && (mode & othersWrite) == 0;
    }

    /// <summary>Opens or makes a file without .NET's own flock, which every FileStream takes, shared ones too.</summary>
    public static SafeFileHandle OpenLockFile(string path)
    {
        const int readWrite = 2;
        var create = OperatingSystem.IsLinux() ? 0x40 : 0x200;
        var closeOnExec = OperatingSystem.IsLinux() ? 0x80000 : 0x1000000;
        const int ownerReadsAndWrites = 0b110_000_000;
        var descriptor = Open(path, readWrite | create | closeOnExec, ownerReadsAndWrites);
        const int noPermission = 13;
        return descriptor >= 0 ? new(descriptor, ownsHandle: true) : Marshal.GetLastPInvokeError() switch
        {
            noPermission => throw new UnauthorizedAccessException($"Access to {path} is denied."),
            var error => throw new IOException($"Cannot open {path}: {Marshal.GetPInvokeErrorMessage(error)}"),
        };
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

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint mask, Span<byte> facts);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint GetEffectiveUserId();

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);

    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwner(string path, uint user, uint group);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Flock(SafeHandle file, int operation);
}
