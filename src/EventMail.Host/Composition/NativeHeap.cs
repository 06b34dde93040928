using System.Runtime.InteropServices;

namespace EventMail.Host.Composition;

/// <summary>How the C library hands out the memory of zlib and OpenSSL.</summary>
internal static partial class NativeHeap
{
    /// <summary>Octets from which a block is a mapping of its own.</summary>
    public const int MappedFrom = 64 << 10;

    // malloc.h
    private const int MmapThreshold = -3;

    /// <summary>
    /// Large blocks go back to the system when they are freed. glibc raises the size from which they do whenever such a block is freed;
    /// then zlib's states (RFC 4978) come from the heap, between what OpenSSL keeps for each connection, and what they leave behind
    /// is lost to both: 200 KiB a connection. Elsewhere nothing is done.
    /// </summary>
    /// <returns>Whether the C library has taken it.</returns>
    public static bool KeepLargeBlocksApart()
    {
        if (!OperatingSystem.IsLinux())
            return false;
        try
        {
            return SetOption(MmapThreshold, MappedFrom) == 1;
        }
        catch (EntryPointNotFoundException)
        {
            // musl has no such option, nor the need.
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int SetOption(int option, int value);
}
