using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace EventMail.EventStore.Embedded;

/// <summary>Where PostgreSQL's programs are, and of which major version.</summary>
internal sealed partial record PostgresBinaries(string Folder, int MajorVersion)
{
    public const int OldestMajorVersion = 13;

    // The distributions' folders: Debian and Ubuntu, Red Hat and SUSE, Homebrew, Postgres.app, FreeBSD.
    private static readonly (string Parent, string Pattern)[] UsualPlaces =
    [
        ("/usr/lib/postgresql", "*"),
        ("/usr", "pgsql-*"),
        ("/usr/lib", "postgresql*"),
        ("/opt/homebrew/opt", "postgresql*"),
        ("/usr/local/opt", "postgresql*"),
        ("/Applications/Postgres.app/Contents/Versions", "*"),
        ("/usr", "local"),
    ];

    public string Postgres => Path.Combine(Folder, "postgres");
    public string InitDb => Path.Combine(Folder, "initdb");

    /// <param name="configured">Database:BinPath; used as it is when set.</param>
    /// <param name="wanted">The major version an existing cluster was made with.</param>
    public static PostgresBinaries Find(string? configured, int? wanted)
    {
        if (configured is not null)
        {
            return In(configured) is { } found && Suits(found, wanted)
                ? found
                : throw new EmbeddedPostgresException(
                    $"Database:BinPath is {configured}, but there is no PostgreSQL {wanted?.ToString(CultureInfo.InvariantCulture) ?? $"{OldestMajorVersion} or newer"} in it.");
        }

        var candidates = Candidates().Distinct().Select(In).OfType<PostgresBinaries>().ToList();
        return candidates.Where(candidate => Suits(candidate, wanted)).MaxBy(candidate => candidate.MajorVersion)
            ?? throw new EmbeddedPostgresException(wanted is { } version
                ? $"The database in the data folder was made by PostgreSQL {version}, which is not installed. " +
                  $"Install it (Debian, Ubuntu: apt-get install postgresql-{version}), or move the cluster with pg_upgrade."
                : $"PostgreSQL {OldestMajorVersion} or newer was not found. Install it (Debian, Ubuntu: apt-get install postgresql), " +
                  "tell where it is with Database:BinPath, or use a server of your own with Database:ConnectionString.");
    }

    private static bool Suits(PostgresBinaries found, int? wanted) =>
        wanted is { } version ? found.MajorVersion == version : found.MajorVersion >= OldestMajorVersion;

    private static IEnumerable<string> Candidates()
    {
        foreach (var folder in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries))
            yield return folder;
        foreach (var (parent, pattern) in UsualPlaces)
        {
            if (!Directory.Exists(parent))
                continue;
            foreach (var folder in Directory.EnumerateDirectories(parent, pattern))
                yield return Path.Combine(folder, "bin");
        }
    }

    private static PostgresBinaries? In(string folder)
    {
        var postgres = Path.Combine(folder, "postgres");
        if (!File.Exists(postgres) || !File.Exists(Path.Combine(folder, "initdb")))
            return null;
        using var process = Process.Start(new ProcessStartInfo(postgres, "--version") { RedirectStandardOutput = true, WorkingDirectory = "/" })!;
        var version = VersionLine().Match(process.StandardOutput.ReadToEnd());
        process.WaitForExit();
        return version.Success ? new(folder, int.Parse(version.Groups[1].ValueSpan, CultureInfo.InvariantCulture)) : null;
    }

    // "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"
    [GeneratedRegex(@"\(PostgreSQL\) (\d+)")]
    private static partial Regex VersionLine();
}
