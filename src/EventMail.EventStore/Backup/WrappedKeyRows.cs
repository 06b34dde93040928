using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace EventMail.EventStore.Backup;

/// <summary>
/// The wrapped keys as the database has them now, beside the copy of the wrapping keys: rows in a backup are older, and may name a wrapping key that was
/// destroyed since, when what else it wrapped was wrapped anew (decision 40).
/// </summary>
public static class WrappedKeyRows
{
    /// <summary>A wrapping key's file is what it was written as.</summary>
    public static bool IsWholeKey(string path) => WrappingKeyFiles.IsWhole(path);

    private const string SubjectKeys = "eventmail.subject_key";

    /// <returns>The names of the files of the wrapping keys that the rows need.</returns>
    public static async Task<IReadOnlySet<string>> WriteAsync(EventLog log, string folder, CancellationToken cancel)
    {
        var needed = new HashSet<long>();
        OwnFolders.Make(folder);
        await using var connection = await log.Sessions.OpenConnectionAsync(cancel);
        foreach (var source in WrappedKeyTables.All)
        {
            var (kind, table, columns) = (source.Kind, source.Table, Columns(source));
            await using var writer = await SegmentWriter.BeginAsync(folder, 1, kind, columns, compress: true, cancel);
            await using (var copy = await connection.BeginRawBinaryCopyAsync(
                $"copy (select {BackupRows.Names(columns)} from {table} where key is not null) to stdout (format binary)", cancel))
            {
                var rows = new CopyReader(copy);
                while (await rows.NextAsync(cancel))
                {
                    await writer.WriteRowAsync(rows.Row, cancel);
                    needed.Add(rows.Long(Kek));
                }
            }
            await writer.FinishAsync(0, cancel);
        }
        return needed.Select(WrappingKeyFiles.NameOf).ToHashSet(StringComparer.Ordinal);
    }

    // Where the number of the wrapping key stands among the columns.
    private const int Kek = 1;

    private static string[] Columns(WrappedKeyTable source) => [source.Id, "kek", "key"];

    /// <summary>Puts them in the place of the restored ones.</summary>
    /// <exception cref="BackupDamagedException">A file of them is not what was written.</exception>
    internal static async Task ApplyAsync(NpgsqlConnection connection, string folder, CancellationToken cancel)
    {
        foreach (var source in WrappedKeyTables.All)
        {
            var (kind, table, columns, key) = (source.Kind, source.Table, Columns(source), source.Id);
            var path = Path.Combine(folder, SegmentWriter.NameOf(1, kind, compress: true));
            if (!File.Exists(path))
                continue;
            await ExecuteAsync($"create temporary table wrapped as select {BackupRows.Names(columns)} from {table} limit 0");
            await ReadAsync(path, kind);
            // What was plain when the backup took it has no key, whatever the database has of it now.
            await ExecuteAsync($"update {table} t set kek = w.kek, key = w.key from wrapped w where t.{key} = w.{key} and t.kek <> w.kek");
            if (source.Table == SubjectKeys)
                await ForgetErasedAsync();
            await ExecuteAsync("drop table wrapped");
        }

        async Task ReadAsync(string path, string kind)
        {
            try
            {
                using var reader = SegmentReader.Open(path, kind);
                await using var copy = await connection.BeginRawBinaryCopyAsync($"copy wrapped ({BackupRows.Names(reader.Header.Columns)}) from stdin (format binary)", cancel);
                try
                {
                    await copy.WriteAsync(CopyReader.Header, cancel);
                    var rows = reader.Rows();
                    while (await rows.NextAsync(cancel))
                        await copy.WriteAsync(rows.Row, cancel);
                    await copy.WriteAsync(CopyReader.Trailer, cancel);
                }
                catch (InvalidDataException)
                {
                    // Else its end would be told as PostgreSQL's fault.
                    await copy.CancelAsync();
                    throw;
                }
            }
            catch (InvalidDataException e)
            {
                throw new BackupDamagedException(path, e.Message);
            }
        }

        // A subject that has no key any more, and whose wrapping key is gone, was erased since the backup. With its row it would be one whose keys are lost.
        async Task ForgetErasedAsync()
        {
            var files = new WrappingKeyFiles(Path.Combine(folder, "keys"), isOurs: false, TimeProvider.System, NullLogger.Instance);
            await ExecuteAsync(
                $"delete from {SubjectKeys} t where not exists (select from wrapped w where w.subject = t.subject) and not t.kek = any($1)",
                new NpgsqlParameter<long[]> { TypedValue = [.. files.Numbers()] });
        }

        async Task ExecuteAsync(string sql, params NpgsqlParameter[] parameters)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            command.Parameters.AddRange(parameters);
            await command.ExecuteNonQueryAsync(cancel);
        }
    }
}
