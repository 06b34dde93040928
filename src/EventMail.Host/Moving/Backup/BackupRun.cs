using EventMail.EventStore.Backup;
using EventMail.EventStore.Embedded;
using EventMail.Host.Cli;
using EventMail.Host.Composition;
using EventMail.Host.Configuration;

namespace EventMail.Host.Moving.Backup;

/// <summary>One run of a backup, whoever asks for it.</summary>
internal static class BackupRun
{
    /// <summary>Nobody else writes to the folder while it is held.</summary>
    /// <exception cref="CommandFailedException">Somebody does.</exception>
    public static FileLock Take(BackupFolder folder)
    {
        Directory.CreateDirectory(folder.Path);
        return FileLock.TryTake(Path.Combine(folder.Path, "backup.lock"))
            ?? throw new CommandFailedException($"Another backup onto {folder.Path} is under way.", ExitCodes.WrongMoment);
    }

    /// <summary>The wrapped keys, the wrapping keys and the settings file, in their newest state.</summary>
    /// <param name="keys">As <see cref="KeyCopy.PlaceOf"/> gives it.</param>
    /// <returns>How many files there are now.</returns>
    public static async Task<int> CopyKeysAsync(MailStore store, HostSettings settings, string keys, CancellationToken cancel)
    {
        var needed = await WrappedKeyRows.WriteAsync(store.Log, keys, cancel);
        return KeyCopy.Write(settings, keys, needed);
    }
}
