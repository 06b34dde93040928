using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EventMail.EventStore.Embedded;

/// <summary>
/// A cluster in the user's cache, stopped in order, with one database and its tables: copying it takes a tenth of the time of making
/// another. One for each build of PostgreSQL, each account and each program; its password is in it, for nobody but its user to read.
/// </summary>
internal sealed class ClusterTemplate
{
    // Programs that are still built today make others every time.
    private static readonly TimeSpan KeptFor = TimeSpan.FromDays(1);

    // Of the log of what made it.
    private static readonly Dictionary<string, string> FewFiles = new() { ["max_wal_size"] = "2MB" };

    private readonly TemplateOptions _options;
    private readonly string _folder;

    private ClusterTemplate(TemplateOptions options, string folder) => (_options, _folder) = (options, folder);

    public bool Exists => File.Exists(PasswordFile);

    private string Data => Path.Combine(_folder, "data");

    private string PasswordFile => Path.Combine(_folder, "password");

    /// <summary>Null where none is wished.</summary>
    public static ClusterTemplate? Of(EmbeddedPostgresOptions options, PostgresBinaries binaries, PostgresAccount account)
    {
        if (options.Template is not { } template)
            return null;
        // Another build, even of the same version, may make another catalogue.
        var build = new FileInfo(binaries.Postgres);
        return new(template, Path.Combine(template.Folder, string.Create(
            CultureInfo.InvariantCulture,
            $"postgresql-{binaries.MajorVersion}-{build.Length:x}-{build.LastWriteTimeUtc.Ticks:x}-{account.Name}-{template.Contents}")));
    }

    /// <summary>Copies it; answers its password, null when there is none or it cannot be copied.</summary>
    public async Task<string?> TryCopyAsync(string to, CancellationToken cancel)
    {
        if (!Exists)
            return null;
        if (await CopyAsync(Data, to, cancel))
            return await File.ReadAllTextAsync(PasswordFile, cancel);
        if (Directory.Exists(to))
            Directory.Delete(to, recursive: true);
        return null;
    }

    /// <summary>Makes it; without effect where the cache cannot be written.</summary>
    public async Task MakeAsync(EmbeddedPostgresOptions options, ILogger log, CancellationToken cancel)
    {
        var half = $"{_folder}.{Environment.ProcessId}";
        var work = Directory.CreateTempSubdirectory(_options.WorkPrefix).FullName;
        var cluster = await EmbeddedPostgres.AttachOrStartAsync(
            options with { DataFolder = work, Template = null, Port = null, Settings = FewFiles }, log, cancel);
        try
        {
            await using (cluster)
            {
                await _options.Fill(cluster.ConnectionString, cancel);
                await KeepOneDatabaseAsync(cluster.ConnectionString, cancel);
            }
            Directory.CreateDirectory(half, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            if (await CopyAsync(cluster.ClusterFolder, Path.Combine(half, "data"), cancel))
            {
                PostgresCluster.WriteSecret(Path.Combine(half, "password"), cluster.Password);
                Directory.Move(half, _folder);
            }
            RemoveOthers();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // Another server was first, or the cache cannot be written: the next start takes its time, too.
        }
        finally
        {
            foreach (var folder in (string[])[half, Path.GetDirectoryName(cluster.ClusterFolder)!, work])
            {
                if (Directory.Exists(folder))
                    Directory.Delete(folder, recursive: true);
            }
        }
    }

    // Those that others are made from are half of what would be copied, and nobody makes another here.
    private static async Task KeepOneDatabaseAsync(string connectionString, CancellationToken cancel)
    {
        await using var connection = new NpgsqlConnection(connectionString + ";Pooling=false");
        await connection.OpenAsync(cancel);
        foreach (var sql in (string[])
            [
                "update pg_database set datistemplate = false", "drop database template0", "drop database template1", "drop database postgres",
            ])
        {
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync(cancel);
        }
    }

    private void RemoveOthers()
    {
        foreach (var other in new DirectoryInfo(_options.Folder).EnumerateDirectories("postgresql-*"))
        {
            if (other.FullName != _folder && DateTime.UtcNow - other.LastWriteTimeUtc > KeptFor)
                other.Delete(recursive: true);
        }
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
