using Npgsql;

namespace EventMail.EventStore.Backup;

/// <param name="Events">How many were written.</param>
/// <param name="To">The log's last position.</param>
public sealed record RestoreResult(long Events, long Contents, long Files, long To);

/// <summary>
/// Puts a verified backup into an empty database and an empty folder of contents: the same positions, ids, times and headers, so that all hashes are what they were.
/// The database is written in one transaction. Read models are not in a backup: whoever opens the log next builds them.
/// </summary>
/// <param name="keys">The copy of the keys, with the rows of <see cref="WrappedKeyRows"/>; null: there is none.</param>
/// <param name="beforeCommit">What else must be in its place before the database is, with its rows.</param>
public sealed class LogRestore(
    string connectionString, string contentFolder, BackupFolder folder, VerifiedBackup backup, string? keys, Func<NpgsqlConnection, Task> beforeCommit, Action<BackupProgress> report)
{
    /// <summary>In the folder of contents while a restore is under way: what lies there is this backup's.</summary>
    private const string Mark = "restoring";

    private readonly byte[] _buffer = new byte[256 * 1024];
    private long _done;
    private long _events;
    private long _contents;
    private long _files;

    /// <exception cref="RestoreRefusedException">There is something already.</exception>
    public async Task<RestoreResult> RunAsync(CancellationToken cancel)
    {
        // A run that begins behind the cut has no event that is wanted, and its contents belong to such.
        var runs = backup.Runs.Where(run => run.After < backup.Cut || run.Run == 1).ToList();
        var removed = new NumberRanges();
        if (runs.Count == backup.Runs.Count && backup.Cut == runs[^1].To)
            foreach (var run in runs)
                removed.UnionWith(NumberRanges.Parse(run.Removed));
        var total = runs.Sum(run => run.Segments.Sum(segment => segment.Octets));

        await EventLog.PrepareAsync(connectionString, [], [], cancel);
        await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(connectionString) { CommandTimeout = 0, Pooling = false });
        await using var connection = await source.OpenConnectionAsync(cancel);
        await CheckEmptyAsync(connection, cancel);
        Begin();
        foreach (var (run, segment) in Segments(runs, "files"))
            await FilesAsync(run, segment, total, cancel);

        await using var transaction = await connection.BeginTransactionAsync(cancel);
        // Their versions are what the events come to.
        await ExecuteAsync(connection, "create temporary table restored (like public.mt_streams) on commit drop; alter table restored alter version set default 0, alter timestamp set default now()", cancel);
        foreach (var (run, segment) in Segments(runs, "streams"))
            await RowsAsync(connection, run, segment, "restored", null, total, cancel);
        await ExecuteAsync(connection, "insert into public.mt_streams select * from restored", cancel);
        foreach (var (run, segment) in Segments(runs, "events"))
            await RowsAsync(connection, run, segment, "public.mt_events", EventIsWanted(), total, cancel);
        foreach (var (run, segment) in Segments(runs, "contents"))
            await RowsAsync(connection, run, segment, "eventmail.content", ContentIsWanted(removed), total, cancel);
        // Each run has all of them: those of the last one know what was erased before it.
        if (Segments(runs, LogBackup.SubjectKeys).LastOrDefault() is { Segment: { } subjects } last)
            await RowsAsync(connection, last.Run, subjects, "eventmail.subject_key", null, total, cancel);
        if (keys is not null)
            await WrappedKeyRows.ApplyAsync(connection, keys, cancel);
        await FinishAsync(connection, runs, cancel);
        await beforeCommit(connection);
        await transaction.CommitAsync(cancel);
        File.Delete(MarkPath);
        await ExecuteAsync(connection, "analyze public.mt_events; analyze public.mt_streams; analyze eventmail.content", cancel);
        return new(_events, _contents, _files, backup.Cut);
    }

    private static IEnumerable<(BackupManifest Run, BackupSegment Segment)> Segments(IEnumerable<BackupManifest> runs, string kind) =>
        runs.SelectMany(run => run.Segments.Where(segment => segment.Kind == kind).Select(segment => (run, segment)));

    private async Task CheckEmptyAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(
            "select exists (select from public.mt_events) or exists (select from public.mt_streams) or exists (select from eventmail.content) or exists (select from eventmail.subject_key)", connection);
        if ((bool)(await command.ExecuteScalarAsync(cancel))!)
            throw new RestoreRefusedException("The database is not empty: a backup is restored into a new one.");
        if (!IsGoingOn() && Directory.Exists(contentFolder) && Directory.EnumerateDirectories(contentFolder).Any(path => Path.GetFileName(path).Length == 2))
            throw new RestoreRefusedException($"The folder {contentFolder} is not empty: a backup is restored into a new data folder.");
    }

    private string MarkPath => Path.Combine(contentFolder, Mark);

    private string MarkOfBackup => $"{folder.ReadManifest(backup.Runs[^1].Run).Sha256} {backup.Cut}";

    // Files come before the rows: a restore that was ended has left some.
    private bool IsGoingOn() => File.Exists(MarkPath) && File.ReadAllText(MarkPath) == MarkOfBackup;

    private void Begin()
    {
        OwnFolders.Make(contentFolder);
        using (var mark = Durable.Create(MarkPath))
        {
            mark.Write(System.Text.Encoding.ASCII.GetBytes(MarkOfBackup));
            mark.Flush(flushToDisk: true);
        }
        OwnFolders.Sync(contentFolder);
    }

    private Func<SegmentReader, Func<CopyReader, bool>> EventIsWanted() => reader =>
    {
        var position = Array.IndexOf(reader.Header.Columns, "seq_id");
        return row =>
        {
            if (row.Long(position) > backup.Cut)
                return false;
            _events++;
            return true;
        };
    };

    private Func<SegmentReader, Func<CopyReader, bool>> ContentIsWanted(NumberRanges removed) => reader =>
    {
        var number = Array.IndexOf(reader.Header.Columns, "number");
        return row =>
        {
            if (removed.Contains(row.Long(number)))
                return false;
            _contents++;
            return true;
        };
    };

    private async Task RowsAsync(
        NpgsqlConnection connection, BackupManifest run, BackupSegment segment, string table,
        Func<SegmentReader, Func<CopyReader, bool>>? filter, long total, CancellationToken cancel)
    {
        using var reader = SegmentReader.Open(Path.Combine(folder.FolderOf(run.Run, true), segment.File), segment.Kind);
        var wanted = filter?.Invoke(reader);
        var rows = reader.Rows();
        await using (var copy = await connection.BeginRawBinaryCopyAsync($"copy {table} ({BackupRows.Names(reader.Header.Columns)}) from stdin (format binary)", cancel))
        {
            await copy.WriteAsync(CopyReader.Header, cancel);
            while (await rows.NextAsync(cancel))
            {
                if (wanted?.Invoke(rows) != false)
                    await copy.WriteAsync(rows.Row, cancel);
            }
            await copy.WriteAsync(CopyReader.Trailer, cancel);
        }
        report(new("restoring", _done += segment.Octets, total));
    }

    private async Task FilesAsync(BackupManifest run, BackupSegment segment, long total, CancellationToken cancel)
    {
        using var reader = SegmentReader.Open(Path.Combine(folder.FolderOf(run.Run, true), segment.File), segment.Kind);
        var folders = new HashSet<string>();
        while (reader.NextFile() is { } file)
        {
            var path = ContentFileNames.PathOf(contentFolder, file.Name);
            var parent = Path.GetDirectoryName(path)!;
            if (folders.Add(parent))
            {
                OwnFolders.Make(contentFolder);
                OwnFolders.Make(Path.GetDirectoryName(parent)!);
                OwnFolders.Make(parent);
            }
            await using (var output = Durable.Create(path))
            {
                await reader.CopyFile(file.Length, output, _buffer, cancel);
                await output.FlushAsync(cancel);
                output.Flush(flushToDisk: true);
            }
            _files++;
        }
        foreach (var parent in folders)
        {
            OwnFolders.Sync(parent);
            OwnFolders.Sync(Path.GetDirectoryName(parent)!);
        }
        if (folders.Count > 0)
            OwnFolders.Sync(contentFolder);
        report(new("restoring", _done += segment.Octets, total));
    }

    private async Task FinishAsync(NpgsqlConnection connection, IReadOnlyList<BackupManifest> runs, CancellationToken cancel)
    {
        await ExecuteAsync(connection, """
            update public.mt_streams s set version = e.version, timestamp = e.timestamp
            from (select tenant_id, stream_id, max(version) as version, max(timestamp) as timestamp from public.mt_events group by 1, 2) e
            where s.tenant_id = e.tenant_id and s.id = e.stream_id;
            delete from public.mt_streams where version = 0;
            """, cancel);
        // Behind the cut, no position and no number is given out that was another's.
        await ExecuteAsync(connection, $"""
            select setval('public.mt_events_sequence', greatest(1, {runs[^1].To}), {(runs[^1].To > 0 ? "true" : "false")});
            select setval('eventmail.content_number', greatest({runs[^1].NextContent}, (select coalesce(max(number), 1) from eventmail.content where not moved)));
            """, cancel);
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(cancel);
    }
}

/// <summary>A backup is not restored here: there is something already.</summary>
public sealed class RestoreRefusedException(string message) : Exception(message);
