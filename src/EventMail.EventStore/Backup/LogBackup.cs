using Npgsql;

namespace EventMail.EventStore.Backup;

/// <summary>How far a backup or a restore is.</summary>
/// <param name="Stage">"events", "contents", "verifying" …</param>
public readonly record struct BackupProgress(string Stage, long Done, long Total);

/// <param name="Manifest">Of the run; null when there was nothing new.</param>
/// <param name="WentOn">With what an earlier run had begun.</param>
public sealed record BackupResult(BackupManifest? Manifest, bool WentOn);

/// <summary>
/// Takes what is new since the last run while the log is written: the events up to a position that is safe, then every content that no run has. A content
/// is committed with the event that first refers to it, or before, so all that these events refer to is there; what was released meanwhile
/// is gone from both. Nothing but short statements by position: no snapshot is held that would hold back vacuum.
/// </summary>
public sealed class LogBackup(EventLog log, BackupFolder folder, Action<BackupProgress> report)
{
    /// <summary>Events of one segment, and of one statement.</summary>
    public const int SegmentEvents = 50_000;

    /// <summary>Octets of a segment of contents or files, before compression, unless one of them is larger.</summary>
    public const long SegmentOctets = 128L << 20;

    /// <summary>The kind of the segment with the rows of eventmail.subject_key.</summary>
    internal const string SubjectKeys = "subject-keys";

    private const int ContentsOfStatement = 1000;

    private readonly byte[] _buffer = new byte[256 * 1024];
    private readonly List<BackupSegment> _segments = [];
    private readonly List<string> _missing = [];
    private BackupManifest _state = null!;

    /// <exception cref="BackupDamagedException">The folder's earlier runs are damaged, or of another log.</exception>
    public async Task<BackupResult> RunAsync(CancellationToken cancel)
    {
        var runs = folder.Runs();
        var (previous, sha256) = runs.Count > 0 ? folder.ReadManifest(runs[^1]) : (null, null);
        await using var connection = await log.Sessions.OpenConnectionAsync(cancel);
        var rows = await BackupRows.OpenAsync(connection, cancel);
        await CheckSameLogAsync(rows, previous, cancel);
        var known = new NumberRanges();
        foreach (var run in runs)
        {
            var (manifest, _) = folder.ReadManifest(run);
            known = known.Except(NumberRanges.Parse(manifest.Removed));
            known.UnionWith(NumberRanges.Parse(manifest.Contents));
        }

        var begun = folder.ReadState(runs.Count + 1);
        var to = begun?.To ?? await log.Reader.EndAsync(cancel);
        if (begun is null && previous is not null && to == previous.To && (await rows.NumbersAsync(cancel)).ToString() == known.ToString())
            return new(null, false);
        _state = begun ?? new(
            BackupManifest.CurrentFormat, runs.Count + 1, sha256, await rows.FirstEventAsync(cancel), await rows.LastEventAsync(to, cancel),
            previous?.To ?? 0, to, previous?.LastTime, 0, "", "", [], [], DateTimeOffset.UtcNow, null);
        _segments.AddRange(_state.Segments);
        _missing.AddRange(_state.Missing);
        folder.Prepare(_state);
        folder.WriteState(_state);

        await EventsAsync(rows, cancel);
        await SubjectKeysAsync(rows, cancel);
        await ContentsAsync(rows, known, cancel);
        _state = _state with { NextContent = await rows.NextContentAsync(cancel), Finished = DateTimeOffset.UtcNow };
        folder.Finish(_state);
        return new(_state, begun is not null);
    }

    private string Run => folder.FolderOf(_state.Run, false);

    private async Task CheckSameLogAsync(BackupRows rows, BackupManifest? previous, CancellationToken cancel)
    {
        if (previous?.First is { } first && await rows.FirstEventAsync(cancel) != first)
            throw new BackupDamagedException(folder.Path, "is the backup of another database; choose another folder");
        if (previous?.Last is { } last && await rows.LastEventAsync(previous.To, cancel) != last)
            throw new BackupDamagedException(
                folder.Path, $"its log has another event at position {previous.To} than the database, which was restored to an earlier state since; choose another folder");
    }

    private async Task EventsAsync(BackupRows rows, CancellationToken cancel)
    {
        var after = _segments.Where(segment => segment.Kind == "events").Select(segment => segment.To).DefaultIfEmpty(_state.After).Max();
        while (await rows.PageEndAsync(after, _state.To, SegmentEvents, cancel) is { } end)
        {
            report(new("events", after - _state.After, _state.To - _state.After));
            var streams = await CopyAsync("streams", rows.Streams, rows.StreamsAsync(after, end, cancel), null, end, cancel);
            var time = Array.IndexOf(rows.Events, "timestamp");
            var latest = _state.LastTime ?? DateTimeOffset.MinValue;
            var events = await CopyAsync("events", rows.Events, rows.EventsAsync(after, end, cancel), row =>
            {
                if (row.Time(time) > latest)
                    latest = row.Time(time);
            }, end, cancel);
            // Both or none: a run that goes on takes the page again.
            _segments.AddRange(streams.Rows > 0 ? [streams, events] : [events]);
            Save(_state with { LastTime = latest });
            after = end;
        }
    }

    // All of them in each run, as they are behind its events: few, and a key that was destroyed since the last run is in none from here on.
    private async Task SubjectKeysAsync(BackupRows rows, CancellationToken cancel)
    {
        if (_segments.Exists(segment => segment.Kind == SubjectKeys))
            return;
        _segments.Add(await CopyAsync(SubjectKeys, rows.SubjectKeys, rows.SubjectKeysAsync(cancel), null, 0, cancel));
        Save(_state);
    }

    private void Save(BackupManifest state)
    {
        _state = state with { Segments = [.. _segments], Missing = [.. _missing] };
        folder.WriteState(_state);
    }

    private int NextNumber => _segments.Count == 0 ? 1 : int.Parse(_segments[^1].File[..6], System.Globalization.CultureInfo.InvariantCulture) + 1;

    private async Task<BackupSegment> CopyAsync(
        string kind, string[] columns, Task<Stream> copy, Action<CopyReader>? look, long to, CancellationToken cancel)
    {
        var number = NextNumber + (kind == "events" ? 1 : 0);
        await using var writer = await SegmentWriter.BeginAsync(Run, number, kind, columns, compress: true, cancel);
        await using (var stream = await copy)
        {
            var reader = new CopyReader(stream);
            while (await reader.NextAsync(cancel))
            {
                look?.Invoke(reader);
                await writer.WriteRowAsync(reader.Row, cancel);
            }
        }
        return await writer.FinishAsync(to, cancel);
    }

    private async Task ContentsAsync(BackupRows rows, NumberRanges known, CancellationToken cancel)
    {
        var there = await rows.NumbersAsync(cancel);
        var taken = NumberRanges.Parse(_state.Contents);
        _state = _state with { Removed = known.Except(there).ToString() };
        var wanted = there.Except(known).Except(taken);
        var (done, total) = (taken.Count, taken.Count + wanted.Count);
        // Ciphertext does not become smaller.
        var encrypted = rows.Contents.Contains("key");
        await using var series = new SegmentSeries(() => SegmentWriter.BeginAsync(Run, NextNumber, "contents", rows.Contents, !encrypted, cancel));
        var inSegment = new NumberRanges();
        var files = new List<FileOfRow>();
        var (number, digest, data, key) = (IndexOf("number"), IndexOf("digest"), IndexOf("data"), IndexOf("key"));
        foreach (var portion in wanted.Portions(ContentsOfStatement))
        {
            report(new("contents", done, total));
            var writer = await series.CurrentAsync();
            await using (var stream = await rows.ContentsAsync(portion, cancel))
            {
                var reader = new CopyReader(stream);
                while (await reader.NextAsync(cancel))
                {
                    await writer.WriteRowAsync(reader.Row, cancel);
                    inSegment.Append(reader.Long(number));
                    if (reader.IsNull(data))
                        files.Add(new(reader.Long(number), reader.Field(digest).ToArray(), key >= 0 && !reader.IsNull(key)));
                }
            }
            done += portion.Sum(range => range.Last - range.First + 1);
            if (series.IsFull || files.Count >= ContentsOfStatement)
                await EndAsync();
        }
        await EndAsync();

        int IndexOf(string column) => Array.IndexOf(rows.Contents, column);

        // The rows and their files together, so that a number that is told of has all that belongs to it.
        async Task EndAsync()
        {
            if (await series.EndAsync(cancel) is not { } ended)
                return;
            _segments.Add(ended);
            await FilesAsync(rows, files, cancel);
            taken.UnionWith(inSegment);
            Save(_state with { Contents = taken.ToString() });
            (inSegment, files) = (new(), []);
        }
    }

    // A content that is a file, as its row says.
    private readonly record struct FileOfRow(long Number, byte[] Digest, bool IsEncrypted)
    {
        // The row's own first: an encryption that was ended on its way leaves a file that no key opens beside the plain one.
        public IEnumerable<string> Names => IsEncrypted ? ContentFileNames.Of(Digest, Number) : ContentFileNames.Of(Digest, Number).Reverse();
    }

    private async Task FilesAsync(BackupRows rows, List<FileOfRow> files, CancellationToken cancel)
    {
        await using var series = new SegmentSeries(() => SegmentWriter.BeginAsync(Run, NextNumber, "files", null, compress: false, cancel));
        foreach (var file in files)
        {
            if (file.Names.FirstOrDefault(name => File.Exists(PathOf(name))) is { } found)
                await CopyFileAsync(await series.CurrentAsync(), found, cancel);
            // Released meanwhile is no fault.
            else if (await rows.HasContentAsync(file.Number, cancel))
                _missing.Add(Convert.ToHexStringLower(file.Digest));
            if (series.IsFull)
                await EndAsync();
        }
        await EndAsync();

        string PathOf(string name) => ContentFileNames.PathOf(log.Contents.Files.Root, name);

        async Task CopyFileAsync(SegmentWriter to, string name, CancellationToken stop)
        {
            await using var content = new FileStream(PathOf(name), new FileStreamOptions
            {
                Share = FileShare.ReadWrite | FileShare.Delete,
                Options = FileOptions.Asynchronous | FileOptions.SequentialScan,
                BufferSize = 0,
            });
            await to.WriteFileAsync(name, content, _buffer, stop);
        }

        async Task EndAsync()
        {
            if (await series.EndAsync(cancel) is { } ended)
                _segments.Add(ended);
        }
    }
}
