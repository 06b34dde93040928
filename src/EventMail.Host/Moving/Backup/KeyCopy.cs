using EventMail.EventStore;
using EventMail.EventStore.Backup;
using EventMail.Host.Cli;
using EventMail.Host.Configuration;
using EventMail.Projections.Accounts;
using Directory = System.IO.Directory;

namespace EventMail.Host.Moving.Backup;

/// <summary>
/// The keys and the settings file, apart from a backup and only in their newest state: a key that was destroyed must not live on in a copy
/// (decision 40).
/// </summary>
internal static class KeyCopy
{
    private const string Folder = "keys";

    private const string Settings = "eventmail.json";

    /// <exception cref="CommandFailedException">The place is inside the backup.</exception>
    public static string PlaceOf(string target, string backup)
    {
        target = Path.GetFullPath(target);
        return target == backup || target.StartsWith(backup + Path.DirectorySeparatorChar, StringComparison.Ordinal)
            ? throw new CommandFailedException($"{target} is inside the backup: whoever gets the backup must not get the keys with it.", ExitCodes.Usage)
            : target;
    }

    /// <param name="needed">The names of the keys' files without which the database cannot be read: what is copied of them stays, also when the folder is away.</param>
    /// <returns>How many files there are now.</returns>
    /// <exception cref="CommandFailedException">A key is damaged that was whole when it was copied before; the others are copied.</exception>
    public static int Write(HostSettings settings, string target, IReadOnlySet<string> needed)
    {
        var files = 0;
        foreach (var name in new[] { SecretKey.FileName, Settings })
            files += Copy(Path.Combine(settings.Data, name), Path.Combine(target, name)) ? 1 : 0;
        var from = FolderOf(settings);
        var (kept, damaged) = (new HashSet<string>(StringComparer.Ordinal), new List<string>());
        if (Directory.Exists(from))
        {
            foreach (var path in Directory.EnumerateFiles(from, "*.key"))
            {
                // A key never changes: where it did, the copy is what is left of it.
                var isDamaged = File.Exists(Path.Combine(target, Folder, Path.GetFileName(path))) && !WrappedKeyRows.IsWholeKey(path) && File.Exists(path);
                if (isDamaged)
                    damaged.Add(Path.GetFileName(path));
                // One that is destroyed meanwhile has no copy.
                if (isDamaged || Copy(path, Path.Combine(target, Folder, Path.GetFileName(path))))
                    kept.Add(Path.GetFileName(path));
            }
        }
        var copies = Path.Combine(target, Folder);
        if (Directory.Exists(copies))
        {
            foreach (var path in Directory.EnumerateFiles(copies, "*.key"))
                if (needed.Contains(Path.GetFileName(path)))
                    kept.Add(Path.GetFileName(path));
                else if (!kept.Contains(Path.GetFileName(path)))
                    File.Delete(path);
            OwnFolders.Sync(copies);
        }
        OwnFolders.Sync(target);
        return damaged.Count == 0 ? files + kept.Count : throw new CommandFailedException(
            $"Keys in {from} are damaged: {string.Join(", ", damaged.Take(5))}. Their copies in {copies} are left as they were: put them back from there.");
    }

    /// <summary>Puts them into a data folder; what is there is not touched.</summary>
    public static void Restore(HostSettings settings, string source)
    {
        foreach (var name in new[] { SecretKey.FileName, Settings })
            Put(Path.Combine(source, name), Path.Combine(settings.Data, name));
        OwnFolders.Sync(settings.Data);
        var keys = Path.Combine(source, Folder);
        if (!Directory.Exists(keys))
            return;
        foreach (var path in Directory.EnumerateFiles(keys, "*.key"))
            Put(path, Path.Combine(FolderOf(settings), Path.GetFileName(path)));
        if (Directory.Exists(FolderOf(settings)))
            OwnFolders.Sync(FolderOf(settings));
    }

    private static void Put(string from, string to)
    {
        if (!File.Exists(to))
            Copy(from, to);
    }

    private static string FolderOf(HostSettings settings) =>
        settings.Keys.Folder.Length > 0 ? Path.GetFullPath(settings.Keys.Folder) : Path.Combine(settings.Data, Folder);

    // Whole or not at all; false where there is none.
    private static bool Copy(string from, string to)
    {
        if (!File.Exists(from))
            return false;
        OwnFolders.Make(Path.GetDirectoryName(to)!);
        var temporary = to + ".tmp";
        using (var output = new FileStream(temporary, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = OwnFolders.FileMode }))
        {
            output.Write(File.ReadAllBytes(from));
            output.Flush(flushToDisk: true);
        }
        File.Move(temporary, to, overwrite: true);
        return true;
    }
}
