using System.Globalization;
using System.Security.Cryptography;

namespace EventMail.EventStore.Backup;

/// <summary>
/// A backup's folder: a folder for each run, called by its number, with its segments and its manifest. A run that is not finished is called so; what is
/// written takes its name when it is whole and synced.
/// </summary>
public sealed class BackupFolder
{
    public const string ManifestFile = "manifest.json";

    private const string Unfinished = ".unfinished";
    private const string StateFile = "state.json";

    public BackupFolder(string path) => Path = System.IO.Path.GetFullPath(path);

    public string Path { get; }

    internal string FolderOf(int run, bool finished) =>
        System.IO.Path.Combine(Path, run.ToString("d8", CultureInfo.InvariantCulture) + (finished ? "" : Unfinished));

    /// <summary>The numbers of the finished runs, in order.</summary>
    internal IReadOnlyList<int> Runs() => !Directory.Exists(Path)
        ? []
        : [.. Directory.EnumerateDirectories(Path).Select(folder => System.IO.Path.GetFileName(folder))
            .Where(name => name.Length == 8 && name.All(char.IsAsciiDigit)).Select(name => int.Parse(name, CultureInfo.InvariantCulture)).Order()];

    /// <summary>The manifests of the finished runs, in order; nothing else of them is looked at.</summary>
    /// <exception cref="BackupDamagedException">One is missing or no manifest.</exception>
    public IReadOnlyList<BackupManifest> Manifests() => [.. Runs().Select(run => ReadManifest(run).Manifest)];

    /// <summary>A finished run's manifest, and its SHA-256.</summary>
    /// <exception cref="BackupDamagedException">It is missing or no manifest.</exception>
    internal (BackupManifest Manifest, string Sha256) ReadManifest(int run)
    {
        var path = System.IO.Path.Combine(FolderOf(run, true), ManifestFile);
        try
        {
            var octets = File.ReadAllBytes(path);
            return (BackupManifest.Read(octets), Convert.ToHexStringLower(SHA256.HashData(octets)));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new BackupDamagedException(path, "is missing");
        }
        catch (InvalidDataException e)
        {
            throw new BackupDamagedException(path, e.Message);
        }
    }

    /// <summary>What an unfinished run has come to; null where there is none.</summary>
    internal BackupManifest? ReadState(int run)
    {
        var path = System.IO.Path.Combine(FolderOf(run, false), StateFile);
        try
        {
            return File.Exists(path) ? BackupManifest.Read(File.ReadAllBytes(path)) : null;
        }
        catch (InvalidDataException e)
        {
            throw new BackupDamagedException(path, $"{e.Message}: delete the folder {FolderOf(run, false)}, and the run begins anew");
        }
    }

    internal void WriteState(BackupManifest state) => WriteWhole(System.IO.Path.Combine(FolderOf(state.Run, false), StateFile), state.Write());

    /// <summary>Makes the run a finished one.</summary>
    internal void Finish(BackupManifest manifest)
    {
        var folder = FolderOf(manifest.Run, false);
        WriteWhole(System.IO.Path.Combine(folder, ManifestFile), manifest.Write());
        File.Delete(System.IO.Path.Combine(folder, StateFile));
        OwnFolders.Sync(folder);
        Directory.Move(folder, FolderOf(manifest.Run, true));
        OwnFolders.Sync(Path);
    }

    /// <summary>Makes the folder of a run and takes out of it what no state tells of.</summary>
    internal void Prepare(BackupManifest state)
    {
        var folder = FolderOf(state.Run, false);
        OwnFolders.Make(Path);
        OwnFolders.Make(folder);
        var known = state.Segments.Select(segment => segment.File).Append(StateFile).ToHashSet(StringComparer.Ordinal);
        foreach (var path in Directory.EnumerateFiles(folder))
            if (!known.Contains(System.IO.Path.GetFileName(path)))
                File.Delete(path);
    }

    private static void WriteWhole(string path, byte[] octets)
    {
        var temporary = path + ".tmp";
        using (var file = Durable.Create(temporary))
        {
            file.Write(octets);
            file.Flush(flushToDisk: true);
        }
        File.Move(temporary, path, overwrite: true);
        OwnFolders.Sync(System.IO.Path.GetDirectoryName(path)!);
    }
}

/// <summary>A file of a backup is not what it was.</summary>
public sealed class BackupDamagedException(string file, string why) : Exception($"{file}: {why}");
