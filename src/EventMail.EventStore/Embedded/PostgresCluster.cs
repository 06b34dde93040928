using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace EventMail.EventStore.Embedded;

/// <summary>The files of a cluster: where they lie, how they are made, and what the data folder remembers of them.</summary>
internal sealed class PostgresCluster
{
    public const string User = "eventmail";
    public const string Database = "eventmail";

    // sockaddr_un.sun_path has 108 bytes, "/.s.PGSQL.5432" and the final NUL take 15.
    private const int LongestSocketFolder = 93;

    private readonly string _dataFolder;

    private PostgresCluster(string dataFolder, string folder, string password, int? port)
    {
        _dataFolder = dataFolder;
        Folder = folder;
        Password = password;
        Port = port;
    }

    /// <summary>Belongs to PostgreSQL's account.</summary>
    public string Folder { get; }

    public string DataDirectory => Path.Combine(Folder, "data");
    public string Password { get; private set; }
    public int? Port { get; private set; }
    public string? SocketFolder => Encoding.UTF8.GetByteCount(RunFolder) <= LongestSocketFolder ? RunFolder : null;
    public string RunFolder => Path.Combine(Folder, "run");

    private sealed record Memory(string? Folder, int? Port);

    private static string MemoryFile(string dataFolder) => Path.Combine(dataFolder, "postgres.json");
    private static string PasswordFile(string dataFolder) => Path.Combine(dataFolder, "postgres.password");

    /// <summary>The cluster that was made for this data folder before, if any.</summary>
    public static PostgresCluster? Open(string dataFolder)
    {
        if (!File.Exists(PasswordFile(dataFolder)) || !File.Exists(MemoryFile(dataFolder)))
            return null;
        var memory = JsonSerializer.Deserialize<Memory>(File.ReadAllText(MemoryFile(dataFolder)))!;
        return new(dataFolder, memory.Folder ?? Path.Combine(dataFolder, "postgres"), File.ReadAllText(PasswordFile(dataFolder)), memory.Port);
    }

    /// <summary>Chooses the place of a new cluster. <paramref name="tell"/> hears about one outside the data folder.</summary>
    public static async Task<PostgresCluster> PlaceAsync(
        EmbeddedPostgresOptions options, PostgresAccount account, Action<string> tell, CancellationToken cancel)
    {
        var folder = Path.Combine(options.DataFolder, "postgres");
        if (!account.IsOurs && !await account.CanEnterAsync(options.DataFolder, cancel))
        {
            var name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(options.DataFolder)))[..16];
            folder = Path.Combine(options.ElsewhereRoot, name);
            tell(folder);
            Directory.CreateDirectory(options.ElsewhereRoot);
            if (!await account.CanEnterAsync(options.ElsewhereRoot, cancel))
            {
                throw new EmbeddedPostgresException(
                    $"PostgreSQL runs as {account.Name}, who can enter neither {options.DataFolder} nor {options.ElsewhereRoot}. " +
                    "Choose another data folder (--data DIR).");
            }
        }
        var password = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));
        var cluster = new PostgresCluster(options.DataFolder, folder, password, null);
        WriteSecret(PasswordFile(options.DataFolder), password);
        cluster.Remember();
        return cluster;
    }

    public int? MajorVersion => File.Exists(VersionFile) ? int.Parse(File.ReadAllText(VersionFile), CultureInfo.InvariantCulture) : null;
    private string VersionFile => Path.Combine(DataDirectory, "PG_VERSION");

    /// <summary>Makes the cluster's files unless they are there. A half-made cluster never counts as one.</summary>
    /// <returns>Its database is certain to be in it.</returns>
    public async Task<bool> InitializeAsync(
        EmbeddedPostgresOptions options, PostgresBinaries binaries, PostgresAccount account, ILogger log, CancellationToken cancel)
    {
        account.MakeOwnFolder(Folder);
        account.MakeOwnFolder(RunFolder);
        if (MajorVersion is not null)
            return false;

        var half = DataDirectory + ".new";
        var template = ClusterTemplate.Of(options, binaries, account);
        if (template is { Exists: false })
            await template.MakeAsync(options, log, cancel);
        if (template is not null && await template.TryCopyAsync(half, cancel) is { } password)
        {
            WriteSecret(PasswordFile(_dataFolder), Password = password);
            Directory.Move(half, DataDirectory);
            return true;
        }
        var passwordFile = Path.Combine(Folder, "password");
        // The byte order of C sorts the same on every machine and version; C.UTF-8 knows letters beyond ASCII for lower().
        var said = "";
        foreach (var characters in (string[])["C.UTF-8", "C"])
        {
            if (Directory.Exists(half))
                Directory.Delete(half, recursive: true);
            WriteSecret(passwordFile, Password);
            account.TakeOver(passwordFile);
            (var exitCode, said) = await account.RunAsync(binaries.InitDb,
                [
                    "--pgdata", half, "--username", User, "--pwfile", passwordFile, "--auth", "scram-sha-256", "--data-checksums",
                    "--encoding", "UTF8", "--lc-collate", "C", "--lc-ctype", characters, "--lc-messages", "C", "--lc-monetary", "C",
                    "--lc-numeric", "C", "--lc-time", "C", "--text-search-config", "simple",
                    .. options.ThrowAway ? ["--no-sync", "--wal-segsize=1"] : Array.Empty<string>(),
                ], cancel);
            File.Delete(passwordFile);
            if (exitCode != 0)
                continue;
            File.AppendAllText(Path.Combine(half, "postgresql.conf"), "\ninclude 'eventmail.conf'\n");
            Directory.Move(half, DataDirectory);
            return false;
        }
        throw new EmbeddedPostgresException($"PostgreSQL's initdb failed: {said}");
    }

    /// <summary>Writes the settings for the next start, with a loopback port where one is wished or no socket is possible.</summary>
    public void Configure(EmbeddedPostgresOptions options, PostgresBinaries binaries, PostgresAccount account)
    {
        var port = options.Port ?? (SocketFolder is null ? 0 : null);
        Port = port == 0 ? LoopbackPort.FindFree() : port;
        var file = Path.Combine(DataDirectory, "eventmail.conf");
        File.WriteAllText(file, PostgresSettings.Render(options, binaries, SocketFolder, Port));
        account.TakeOver(file);
        Remember();
    }

    private void Remember()
    {
        var inside = Folder == Path.Combine(_dataFolder, "postgres");
        WriteSecret(MemoryFile(_dataFolder), JsonSerializer.Serialize(new Memory(inside ? null : Folder, Port)));
    }

    internal static void WriteSecret(string path, string text)
    {
        var half = path + ".new";
        var options = new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        using (var file = new FileStream(half, options))
        {
            file.Write(Encoding.UTF8.GetBytes(text));
            file.Flush(flushToDisk: true);
        }
        File.Move(half, path, overwrite: true);
    }
}
