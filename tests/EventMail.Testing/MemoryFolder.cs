namespace EventMail.Testing;

/// <summary>
/// Where the tests' PostgreSQL has its files: each database is hundreds of small ones that are made and soon deleted, and a disk's file system takes
/// more time for that than PostgreSQL for all the rest. Tests of durability stay on the disk.
/// </summary>
internal static class MemoryFolder
{
    private const string Shared = "/dev/shm";

    // Clusters of a whole run keep below a quarter of the first; a container's share may be as small as 64 MB.
    private const long Room = 4L << 30;
    private const long Memory = 12L << 30;

    public static string OrTemp { get; } = HasRoom() ? Shared : Path.GetTempPath();

    private static bool HasRoom()
    {
        try
        {
            return OperatingSystem.IsLinux() && Directory.Exists(Shared)
                && new DriveInfo(Shared).AvailableFreeSpace >= Room && GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >= Memory;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
