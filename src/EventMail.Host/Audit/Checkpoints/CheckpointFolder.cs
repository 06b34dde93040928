using System.Globalization;
using System.Text;
using EventMail.EventStore.Embedded;
using EventMail.EventStore.Proof;

namespace EventMail.Host.Audit;

/// <summary>
/// The checkpoints that were signed here, a file a day, to which is only appended. The largest is what the next is compared with: it is outside
/// the database, so that a log that was changed, or a tree that was built anew over it, is not signed. Thread-safe, also between processes.
/// </summary>
internal sealed class CheckpointFolder(string path)
{
    // Another process is done sooner: it appends some hundred octets.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    // By file: how long it was when it was read, and the largest in it. Files of former days do not change.
    private readonly Dictionary<string, (long Length, DateTime Written, SignedCheckpoint? Largest)> _read = [];
    private readonly Lock _gate = new();

    public string Path { get; } = path;

    /// <summary>While it is held, nobody else signs.</summary>
    public async Task<FileLock> LockAsync(CancellationToken cancel)
    {
        Directory.CreateDirectory(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return await FileLock.TakeAsync(System.IO.Path.Combine(Path, ".lock"), exclusive: true, Patience, cancel);
    }

    /// <summary>
    /// The one of the most events, of those that can be read, and of several the last; null without any. Not the last one that stands there: an old one that
    /// is put behind the others again says nothing of what was signed since.
    /// </summary>
    public SignedCheckpoint? Largest()
    {
        var largest = default(SignedCheckpoint);
        foreach (var file in Files())
        {
            if (LargestOf(file) is { } checkpoint && checkpoint.Checkpoint.Size >= (largest?.Checkpoint.Size ?? 0))
                largest = checkpoint;
        }
        return largest;
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
        // An empty line between two: also behind one that a power cut tore in the middle of a line.
        file.Write(Encoding.UTF8.GetBytes(file.Position > 0 ? $"\n\n{checkpoint}" : checkpoint.ToString()));
        file.Flush(flushToDisk: true);
    }

    // A torn one is no reason to forget the others.
    private SignedCheckpoint? LargestOf(string file)
    {
        var info = new FileInfo(file);
        lock (_gate)
        {
            if (_read.TryGetValue(file, out var known) && (known.Length, known.Written) == (info.Length, info.LastWriteTimeUtc))
                return known.Largest;
        }
        var largest = default(SignedCheckpoint);
        foreach (var checkpoint in SignedCheckpoint.ParseReadable(File.ReadAllText(file)))
        {
            if (checkpoint.Checkpoint.Size >= (largest?.Checkpoint.Size ?? 0))
                largest = checkpoint;
        }
        lock (_gate)
            _read[file] = (info.Length, info.LastWriteTimeUtc, largest);
        return largest;
    }
}
