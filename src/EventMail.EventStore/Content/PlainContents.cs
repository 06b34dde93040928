using System.Runtime.CompilerServices;
using Npgsql;
using NpgsqlTypes;

namespace EventMail.EventStore;

/// <summary>
/// Encrypts contents that were stored plain, while mail flows: a few at a time, each for good. It may be ended at any moment and goes on with
/// what is left; two at once do not disturb each other. A file's plain form is deleted by the orphans' pass, so that who reads it meanwhile
/// reads on.
/// </summary>
public sealed class PlainContents(EventLog log)
{
    private const int PageSize = 64;

    // Rows of one statement; a single larger one is encrypted all the same.
    private const long PageOctets = 4L * 1024 * 1024;

    private const int PieceSize = 64 * 1024;

    private readonly ContentStore _contents = log.Contents;

    /// <summary>Those whose bytes are not what their digest says: they are left as they are.</summary>
    public List<long> Damaged { get; } = [];

    /// <summary>Answers after each step how many contents are done so far.</summary>
    public async IAsyncEnumerable<long> EncryptAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        if (!_contents.Keys.Encrypts)
            throw new InvalidOperationException("contents are to be stored plain");
        var done = 0L;
        for (var after = 0L; ;)
        {
            var (rows, last) = await PageAsync(after, cancel);
            if (last == after)
                yield break;
            after = last;
            await EncryptRowsAsync([.. rows.Where(row => row.Data is not null)], cancel);
            foreach (var (row, data) in rows)
                if (data is null)
                    await EncryptFileAsync(row, cancel);
            yield return done += rows.Count;
        }
    }

    private async Task<(List<(ContentRow Row, byte[]? Data)> Rows, long Last)> PageAsync(long after, CancellationToken cancel)
    {
        await using var command = log.DataSource.CreateCommand(
            $"select {ContentRow.Columns}, c.data from eventmail.content c where c.number > $1 and c.kek is null order by c.number limit {PageSize}");
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = after });
        command.CommandTimeout = 0; // it may pass by many that are encrypted
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var page = new List<(ContentRow, byte[]?)>();
        for (var octets = 0L; octets < PageOctets && await reader.ReadAsync(cancel);)
        {
            var row = ContentRow.Of(reader);
            page.Add((row, row.IsFile ? null : reader.GetFieldValue<byte[]>(ContentRow.Data)));
            after = row.Number;
            octets += row.IsFile ? 0 : row.Size;
        }
        return (page, after);
    }

    private async Task EncryptRowsAsync(List<(ContentRow Row, byte[]? Data)> rows, CancellationToken cancel)
    {
        var sql = $"""
            update eventmail.content c set data = w.data, kek = w.kek, key = w.key
            from unnest($1::bigint[], $2::bytea[], $3::bigint[], $4::bytea[]) as w (number, data, kek, key)
            where c.number = w.number and c.kek is null and {WrappedKeyTables.IsNotRetired("w.kek")}
            """;
        var encrypted = new List<StagedContent>();
        foreach (var (row, data) in rows)
        {
            var content = _contents.Stage(row.Number, data!, mayExist: false);
            if (content.Digest.AsSpan().SequenceEqual(row.Digest))
                encrypted.Add(content);
            else
                Damaged.Add(row.Number);
        }
        if (encrypted.Count == 0)
            return;
        await using var command = log.DataSource.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. encrypted.Select(c => c.Number)] });
        command.Parameters.Add(new() { Value = encrypted.Select(c => c.Row).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea });
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. encrypted.Select(c => c.Key!.Value.WrappingKey)] });
        command.Parameters.Add(new() { Value = encrypted.Select(c => c.Key!.Value.Octets).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea });
        await command.ExecuteNonQueryAsync(cancel);
    }

    private async Task EncryptFileAsync(ContentRow row, CancellationToken cancel)
    {
        await using var connection = await log.DataSource.OpenConnectionAsync(cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        // Whoever holds the row writes the file: it has one name, and each who writes it a key of his own.
        await using (var hold = new NpgsqlCommand("select 1 from eventmail.content where number = $1 and kek is null for update", connection, transaction))
        {
            hold.Parameters.Add(new NpgsqlParameter<long> { TypedValue = row.Number });
            if (await hold.ExecuteScalarAsync(cancel) is null)
                return;
        }
        var plain = _contents.FileOf(row);
        var key = _contents.Keys.New()!;
        await using var writer = new ContentFileWriter(_contents, key);
        await CopyAsync(plain, writer, cancel);
        // What one that was ended before its commit left here has a key that nobody knows.
        File.Delete(_contents.Files.PathOf(plain with { Key = key }));
        var written = await writer.TryCompleteAsync(row.Number, cancel)
            ?? throw new IOException($"the name of content {row.Number}'s file is taken again: another run is at work on it");
        if (!written.Digest.AsSpan().SequenceEqual(row.Digest))
        {
            File.Delete(_contents.Files.PathOf(written));
            Damaged.Add(row.Number);
            return;
        }
        var wrapped = _contents.Keys.Wrap(row.Number, key);
        await using (var update = new NpgsqlCommand($"update eventmail.content set kek = $1, key = $2 where number = $3 and {WrappedKeyTables.IsNotRetired("$1")}", connection, transaction))
        {
            update.Parameters.Add(new NpgsqlParameter<long> { TypedValue = wrapped.WrappingKey });
            update.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = wrapped.Octets });
            update.Parameters.Add(new NpgsqlParameter<long> { TypedValue = row.Number });
            await update.ExecuteNonQueryAsync(cancel);
        }
        await transaction.CommitAsync(cancel);
        _contents.Forget(row.Number);
    }

    private async Task CopyAsync(ContentFile from, ContentFileWriter to, CancellationToken cancel)
    {
        await using var content = await _contents.OpenFileAsync(from, cancel);
        var piece = new byte[PieceSize];
        for (var at = 0L; at < content.Size;)
        {
            var count = await content.ReadAtAsync(at, piece.AsMemory(0, (int)Math.Min(PieceSize, content.Size - at)), cancel);
            if (count == 0)
                break; // cut off: the digest says so
            await to.WriteAsync(piece.AsMemory(0, count), cancel);
            at += count;
        }
    }
}
