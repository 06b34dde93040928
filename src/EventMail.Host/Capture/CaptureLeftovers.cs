using EventMail.EventStore.Embedded;
using EventMail.Host.Cli;
using Microsoft.Extensions.Logging;

namespace EventMail.Host.Capture;

/// <summary>
/// What capturing servers that were killed left behind: their folders in the temporary folder, and the PostgreSQL in them. A server holds
/// its folder's lock, which ends with its process however that ends, so one that lives is never touched.
/// </summary>
internal static class CaptureLeftovers
{
    // A folder that was just made has no lock yet.
    private static readonly TimeSpan TimeToLock = TimeSpan.FromMinutes(1);

    /// <summary>Never fails: what cannot be removed stays, and the log says why.</summary>
    public static async Task RemoveAsync(ILogger log)
    {
        foreach (var folder in Directory.EnumerateDirectories(Path.GetTempPath(), CaptureData.Prefix + "*"))
        {
            if (TryLock(folder) is not { } taken)
                continue;
            using (taken)
            {
                if (await CaptureData.RemoveAsync(folder, log))
                    log.LeftoverRemoved(folder);
            }
        }
    }

    // Null when it is somebody's.
    private static FileLock? TryLock(string folder)
    {
        try
        {
            if (!EmbeddedPostgres.IsOwnFolder(folder))
                return null;
            var file = HostLock.FileOf(folder);
            return File.Exists(file) || DateTime.UtcNow - Directory.GetLastWriteTimeUtc(folder) > TimeToLock ? FileLock.TryTake(file) : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null; // removed by another start at this moment
        }
    }
}
