using System.Diagnostics;
using System.Globalization;

namespace EventMail.EventStore.Embedded;

/// <summary>
/// A fresh cluster in the user's cache, as initdb left it: copying it takes a tenth of the time of making another. One for each build
/// of PostgreSQL and each account; its password is in it, for nobody but its user to read.
/// </summary>
internal sealed class ClusterTemplate
{
    private readonly string _folder;

    private ClusterTemplate(string folder) => _folder = folder;

    private string Data => Path.Combine(_folder, "data");

    private string PasswordFile => Path.Combine(_folder, "password");

    /// <summary>Null where none is wished.</summary>
    public static ClusterTemplate? Of(EmbeddedPostgresOptions options, PostgresBinaries binaries, PostgresAccount account)
    {
        if (options.TemplateFolder is not { } folder)
            return null;
        // Another build, even of the same version, may make another catalogue.
        var build = new FileInfo(binaries.Postgres);
        return new(Path.Combine(folder, string.Create(
            CultureInfo.InvariantCulture, $"postgresql-{binaries.MajorVersion}-{build.Length:x}-{build.LastWriteTimeUtc.Ticks:x}-{account.Name}")));
    }

    /// <summary>Copies it; answers its password, null when there is none or it cannot be copied.</summary>
    public async Task<string?> TryCopyAsync(string to, CancellationToken cancel)
    {
        if (!File.Exists(PasswordFile))
            return null;
        if (await CopyAsync(Data, to, cancel))
            return await File.ReadAllTextAsync(PasswordFile, cancel);
        if (Directory.Exists(to))
            Directory.Delete(to, recursive: true);
        return null;
    }

    /// <summary>Makes a copy of a cluster that has not been started yet; without effect where that cannot be done.</summary>
    public async Task KeepAsync(string data, string password, CancellationToken cancel)
    {
        var half = $"{_folder}.{Environment.ProcessId}";
        try
        {
            Directory.CreateDirectory(half, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            if (await CopyAsync(data, Path.Combine(half, "data"), cancel))
            {
                PostgresCluster.WriteSecret(Path.Combine(half, "password"), password);
                Directory.Move(half, _folder);
                return;
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // Another server was first, or the cache cannot be written: the next start takes its time, too.
        }
        if (Directory.Exists(half))
            Directory.Delete(half, recursive: true);
    }

    // cp keeps owners and modes, and shares blocks where the file system can.
    private static async Task<bool> CopyAsync(string from, string to, CancellationToken cancel)
    {
        using var copy = Process.Start(new ProcessStartInfo("cp", ["-a", "--", from, to]) { RedirectStandardError = true })!;
        await copy.StandardError.ReadToEndAsync(cancel);
        await copy.WaitForExitAsync(cancel);
        return copy.ExitCode == 0;
    }
}
