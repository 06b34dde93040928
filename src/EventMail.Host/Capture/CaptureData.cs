using System.ComponentModel;
using System.Text.Json;
using EventMail.EventStore.Embedded;
using EventMail.Host.Cli;
using Microsoft.Extensions.Logging;

namespace EventMail.Host.Capture;

/// <summary>A capturing server's data folder: a temporary one that goes with it, or the one that was asked for, which stays.</summary>
internal sealed class CaptureData : IAsyncDisposable
{
    /// <summary>What throw-away folders' names begin with.</summary>
    public const string Prefix = "eventmail-capture-";

    private const string Marker = "capture";

    private readonly ILogger _log;

    private CaptureData(string path, bool isThrowAway, ILogger log) => (Path, IsThrowAway, _log) = (path, isThrowAway, log);

    public string Path { get; }

    public bool IsThrowAway { get; }

    /// <param name="kept">--data; null for a folder that is deleted at the end.</param>
    /// <exception cref="CommandFailedException">The folder is a real server's, whose mail everybody could read now, or holds other things.</exception>
    public static CaptureData Open(string? kept, ILogger log)
    {
        if (kept is null)
            return new(Directory.CreateTempSubdirectory(Prefix).FullName, true, log);
        var path = System.IO.Path.GetFullPath(kept);
        var marker = System.IO.Path.Combine(path, Marker);
        if (Directory.Exists(path) && !File.Exists(marker) && Directory.EnumerateFileSystemEntries(path).Any())
        {
            throw new CommandFailedException(
                $"The data folder {path} was not made by capture mode, where everybody may read everything. Choose another one with --data, or none.",
                ExitCodes.WrongMoment);
        }
        Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.WriteAllText(marker, "A data folder of eventmail serve --capture.\n");
        return new(path, false, log);
    }

    /// <summary>When nobody uses it any more.</summary>
    public async ValueTask DisposeAsync()
    {
        if (IsThrowAway)
            await RemoveAsync(Path, _log);
    }

    /// <summary>Deletes a throw-away folder, and ends the PostgreSQL that a killed server has left running in it.</summary>
    /// <returns>False when that could not be done; the log says why.</returns>
    public static async Task<bool> RemoveAsync(string folder, ILogger log)
    {
        try
        {
            if (!await EmbeddedPostgres.AbandonAsync(folder))
                return false;
            Directory.Delete(folder, recursive: true);
            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or Win32Exception or JsonException)
        {
            log.NotDeleted(error, folder);
            return false;
        }
    }
}
