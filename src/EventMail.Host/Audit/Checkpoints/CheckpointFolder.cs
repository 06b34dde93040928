using System.Globalization;
using System.Text;
using EventMail.EventStore.Embedded;
using EventMail.EventStore.Proof;

namespace EventMail.Host.Audit;

/// <summary>
/// The checkpoints that were signed here, a file a day, to which is only appended. The last one is what the next is compared with: it is outside
/// the database, so that a log that was changed, or a tree that was built anew over it, is not signed. Thread-safe, also between processes.
/// </summary>
internal sealed class CheckpointFolder(string path)
{
    // Another process is done sooner: it appends some hundred octets.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public string Path { get; } = path;

    /// <summary>While it is held, nobody else signs.</summary>
    public async Task<FileLock> LockAsync(CancellationToken cancel)
    {
        Directory.CreateDirectory(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return await FileLock.TakeAsync(System.IO.Path.Combine(Path, ".lock"), exclusive: true, Patience, cancel);
    }

    /// <summary>The newest that can be read; null without any.</summary>
    public SignedCheckpoint? Last()
    {
        foreach (var file in Files().Reverse())
        {
            if (LastOf(file) is { } last)
                return last;
        }
        return null;
    }

    /// <summary>The files, the oldest first.</summary>
    public IReadOnlyList<string> Files() =>
        Directory.Exists(Path) ? [.. Directory.EnumerateFiles(Path, "????-??-??.txt").Order(StringComparer.Ordinal)] : [];

    /// <summary>On the disk when it returns.</summary>
    public void Append(SignedCheckpoint checkpoint, DateTimeOffset now)
    {
        var name = now.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) + ".txt";
        using var file = new FileStream(System.IO.Path.Combine(Path, name), new FileStreamOptions
        {
            Mode = FileMode.Append,
            Access = FileAccess.Write,
            Share = FileShare.Read,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead,
        });
        // An empty line between two: also behind one that a power cut tore.
        file.Write(Encoding.UTF8.GetBytes(file.Position > 0 ? $"\n{checkpoint}" : checkpoint.ToString()));
        file.Flush(flushToDisk: true);
    }

    // A torn one at the end is no reason to forget those before it.
    private static SignedCheckpoint? LastOf(string file)
    {
        var last = default(SignedCheckpoint);
        try
        {
            foreach (var checkpoint in SignedCheckpoint.ParseAll(File.ReadAllText(file)))
                last = checkpoint;
        }
        catch (FormatException)
        {
            return last;
        }
        return last;
    }
}
