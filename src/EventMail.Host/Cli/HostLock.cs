using System.Globalization;
using EventMail.EventStore.Embedded;

namespace EventMail.Host.Cli;

/// <summary>One server to a data folder.</summary>
internal static class HostLock
{
    public static string FileOf(string dataFolder) => Path.Combine(dataFolder, "host.lock");

    /// <summary>Makes the data folder and takes its lock until disposed.</summary>
    /// <exception cref="CommandFailedException">Another server has it.</exception>
    public static FileLock Take(string dataFolder)
    {
        Directory.CreateDirectory(dataFolder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var path = FileOf(dataFolder);
        if (FileLock.TryTake(path) is not { } taken)
        {
            throw new CommandFailedException(
                $"Another server ({FileLock.ReadNote(path)}) uses the data folder {dataFolder}. Stop it, or choose another folder with --data.",
                ExitCodes.WrongMoment);
        }
        taken.Write(string.Create(CultureInfo.InvariantCulture, $"pid {Environment.ProcessId}, since {DateTime.UtcNow:yyyy-MM-dd HH:mm:ss}Z\n"));
        return taken;
    }
}
