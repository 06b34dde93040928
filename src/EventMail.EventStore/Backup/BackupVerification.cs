using System.Security.Cryptography;

namespace EventMail.EventStore.Backup;

/// <param name="Cut">The last position of the log's beginning that a restore is to have.</param>
public sealed record VerifiedBackup(IReadOnlyList<BackupManifest> Runs, long Events, long Contents, long Files, long Cut);

/// <summary>Reads a whole backup, before anything of it is believed: the chain of its manifests, each file's hash, each row's shape.</summary>
public sealed class BackupVerification(BackupFolder folder, Action<BackupProgress> report)
{
    private readonly byte[] _buffer = new byte[256 * 1024];
    private long _events;
    private long _contents;
    private long _files;
    private long _last;
    private long _read;

    /// <param name="until">Where its log is to be cut: behind the last position before the first event that is later.</param>
    /// <exception cref="BackupDamagedException">Names the first file that is not as it was written.</exception>
    public async Task<VerifiedBackup> RunAsync(DateTimeOffset? until, CancellationToken cancel)
    {
        var runs = Manifests();
        if (runs.Count == 0)
            throw new BackupDamagedException(folder.Path, "there is no finished backup in it");
        var total = runs.Sum(run => run.Segments.Sum(segment => segment.Octets));
        long? cut = null;
        foreach (var run in runs)
        {
            foreach (var segment in run.Segments)
            {
                var path = Path.Combine(folder.FolderOf(run.Run, true), segment.File);
                try
                {
                    await HashAsync(path, segment, total, cancel);
                    await ReadAsync(path, segment, run, until, later => cut ??= later, cancel);
                }
                catch (InvalidDataException e)
                {
                    throw new BackupDamagedException(path, e.Message);
                }
                catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
                {
                    throw new BackupDamagedException(path, "is missing");
                }
            }
        }
        return new(runs, _events, _contents, _files, cut ?? runs[^1].To);
    }

    private List<BackupManifest> Manifests()
    {
        var runs = new List<BackupManifest>();
        string? hash = null;
        foreach (var number in folder.Runs())
        {
            var (manifest, sha256) = folder.ReadManifest(number);
            var path = Path.Combine(folder.FolderOf(number, true), BackupFolder.ManifestFile);
            if (manifest.Run != number || number != runs.Count + 1)
                throw new BackupDamagedException(path, $"is that of run {manifest.Run}; run {runs.Count + 1} should stand here");
            if (manifest.Previous != hash)
                throw new BackupDamagedException(path, "does not follow the manifest before it, which was changed or exchanged");
            if (manifest.After != (runs.Count > 0 ? runs[^1].To : 0) || manifest.Finished is null)
                throw new BackupDamagedException(path, $"begins behind position {manifest.After}, not where the run before it ended");
            runs.Add(manifest);
            hash = sha256;
        }
        return runs;
    }

    private async Task HashAsync(string path, BackupSegment segment, long total, CancellationToken cancel)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 0, FileOptions.Asynchronous | FileOptions.SequentialScan);
        if (file.Length != segment.Octets)
            throw new InvalidDataException($"has {file.Length} octets instead of {segment.Octets}");
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        while (await file.ReadAsync(_buffer, cancel) is var count and > 0)
        {
            hash.AppendData(_buffer, 0, count);
            report(new("verifying", _read += count, total));
        }
        if (Convert.ToHexStringLower(hash.GetHashAndReset()) != segment.Sha256)
            throw new InvalidDataException("is not what was written: its SHA-256 is another one");
    }

    private async Task ReadAsync(
        string path, BackupSegment segment, BackupManifest run, DateTimeOffset? until, Action<long> cutBehind, CancellationToken cancel)
    {
        using var reader = SegmentReader.Open(path, segment.Kind);
        var rows = segment.Kind == "files"
            ? await FilesAsync(reader, cancel)
            : await RowsAsync(reader, segment.Kind == "events", run, until, cutBehind, cancel);
        if (rows != segment.Rows)
            throw new InvalidDataException($"has {rows} rows instead of {segment.Rows}");
        _contents += segment.Kind == "contents" ? rows : 0;
        _files += segment.Kind == "files" ? rows : 0;
    }

    private async Task<long> RowsAsync(
        SegmentReader reader, bool events, BackupManifest run, DateTimeOffset? until, Action<long> cutBehind, CancellationToken cancel)
    {
        var rows = 0L;
        var copy = reader.Rows();
        var (position, time) = (Array.IndexOf(reader.Header.Columns, "seq_id"), Array.IndexOf(reader.Header.Columns, "timestamp"));
        while (await copy.NextAsync(cancel))
        {
            rows++;
            if (!events)
                continue;
            _events++;
            var at = copy.Long(position);
            if (at <= _last || at <= run.After || at > run.To)
                throw new InvalidDataException($"has position {at} where it cannot stand");
            if (copy.Time(time) > until)
                cutBehind(_last);
            _last = at;
        }
        return rows;
    }

    private async Task<long> FilesAsync(SegmentReader reader, CancellationToken cancel)
    {
        var files = 0L;
        for (; reader.NextFile() is { } file; files++)
        {
            var digest = Convert.ToHexStringLower(await reader.CopyFile(file.Length, null, _buffer, cancel));
            if (ContentFileNames.DigestOf(file.Name) is { } named && named != digest)
                throw new InvalidDataException($"holds the content {file.Name}, whose octets are others");
        }
        return files;
    }
}
