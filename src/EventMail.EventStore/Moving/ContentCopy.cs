using System.Security.Cryptography;
using EventMail.EventStore.Backup;
using Npgsql;
using NpgsqlTypes;

namespace EventMail.EventStore;

/// <summary>
/// Brings contents to another database under their numbers: the same octets, rows and files, each content's key wrapped by the target's wrapping keys. Each is read
/// in the target and compared with its digest before it counts as brought.
/// </summary>
public sealed class ContentCopy(EventLog source, EventLog target, string tenant)
{
    /// <summary>Contents of one transaction: rows have 64 KiB at most, unless the operator set it otherwise.</summary>
    private const int Portion = 200;

    /// <summary>Numbers of one database lie together in a range of so many bits (eventmail.sql).</summary>
    private const int RangeBits = 31;

    /// <summary>The tenant was in the target before: what it named then has numbers that the target gave out.</summary>
    public bool Returning { get; set; }

    private sealed record Row(long Number, byte[] Digest, long Size, byte[]? Data, DateTime Created, WrappedKey? Key);

    /// <summary>Those of them that are in the source and not yet in the target.</summary>
    /// <returns>How many were brought.</returns>
    public async Task<long> CopyAsync(IReadOnlyList<long> numbers, Action<long> copied, CancellationToken cancel)
    {
        await using var into = await target.Sessions.OpenConnectionAsync(cancel);
        await RequireOtherNumbersAsync(into, numbers, cancel);
        var brought = 0L;
        for (var at = 0; at < numbers.Count; at += Portion)
        {
            var portion = numbers.Skip(at).Take(Portion).ToArray();
            var there = await DigestsAsync(into, portion, cancel);
            var rows = await RowsAsync(portion, cancel);
            if (rows.Find(row => there.TryGetValue(row.Number, out var digest) && !row.Digest.AsSpan().SequenceEqual(digest)) is { } other)
                throw new TenantMoveException($"The target has another content under the number {other.Number}.");
            rows.RemoveAll(row => there.ContainsKey(row.Number));
            if (rows.Count > 0)
                await BringAsync(into, rows, cancel);
            brought += rows.Count;
            copied(at + portion.Length);
        }
        return brought;
    }

    /// <summary>Takes away again what was brought and is not in the source any more: released or erased meanwhile.</summary>
    public async Task FollowGoneAsync(CancellationToken cancel)
    {
        var brought = await BroughtAsync(cancel);
        await using var from = await source.Sessions.OpenConnectionAsync(cancel);
        var left = (await DigestsAsync(from, brought, cancel)).Keys.ToHashSet();
        await RemoveAsync([.. brought.Where(number => !left.Contains(number))], cancel);
    }

    /// <summary>Takes away all that was brought.</summary>
    public async Task RemoveAllAsync(CancellationToken cancel) => await RemoveAsync(await BroughtAsync(cancel), cancel);

    private async Task RemoveAsync(long[] numbers, CancellationToken cancel)
    {
        if (numbers.Length == 0)
            return;
        await using var into = await target.Sessions.OpenConnectionAsync(cancel);
        await using (var delete = new NpgsqlCommand(
            """
            with gone as (delete from eventmail.arriving_content where tenant_id = $1 and number = any($2) returning number)
            delete from eventmail.content c using gone where c.number = gone.number and c.moved
            returning c.digest, c.number, c.kek is not null and c.data is null
            """, into)
        {
            Parameters = { new() { Value = tenant }, new() { Value = numbers } },
        })
        {
            await using var row = await delete.ExecuteReaderAsync(cancel);
            while (await row.ReadAsync(cancel))
            {
                // A file of plain octets may be another content's too: the orphans' pass knows.
                if (row.GetBoolean(2))
                    File.Delete(target.Contents.Files.PathOf(ContentFileNames.Encrypted(row.GetFieldValue<byte[]>(0), row.GetInt64(1))));
            }
        }
    }

    private async Task<long[]> BroughtAsync(CancellationToken cancel)
    {
        await using var command = target.DataSource.CreateCommand("select coalesce(array_agg(number), '{}') from eventmail.arriving_content where tenant_id = $1");
        command.Parameters.Add(new() { Value = tenant });
        return (long[])(await command.ExecuteScalarAsync(cancel))!;
    }

    // Numbers that the target is going to give out itself would be given twice.
    private async Task RequireOtherNumbersAsync(NpgsqlConnection into, IReadOnlyList<long> numbers, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand("select last_value from eventmail.content_number", into);
        var last = (long)(await command.ExecuteScalarAsync(cancel))!;
        if (numbers.Any(number => number >> RangeBits == last >> RangeBits && (!Returning || number >= last + ContentNumbers.Block)))
            throw new TenantMoveException(
                "The contents of the account have numbers of the range that the target gives out itself (both databases were made before numbers of different databases differed, or by chance): move it to another database.");
    }

    private static async Task<Dictionary<long, byte[]>> DigestsAsync(NpgsqlConnection connection, long[] numbers, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand("select number, digest from eventmail.content where number = any($1)", connection) { Parameters = { new() { Value = numbers } } };
        var digests = new Dictionary<long, byte[]>();
        await using var row = await command.ExecuteReaderAsync(cancel);
        while (await row.ReadAsync(cancel))
            digests[row.GetInt64(0)] = row.GetFieldValue<byte[]>(1);
        return digests;
    }

    private async Task<List<Row>> RowsAsync(long[] numbers, CancellationToken cancel)
    {
        await using var command = source.DataSource.CreateCommand("select number, digest, size, data, created, kek, key from eventmail.content where number = any($1) order by number");
        command.Parameters.Add(new() { Value = numbers });
        var rows = new List<Row>();
        await using var row = await command.ExecuteReaderAsync(cancel);
        while (await row.ReadAsync(cancel))
            rows.Add(new(
                row.GetInt64(0), row.GetFieldValue<byte[]>(1), row.GetInt64(2), row.IsDBNull(3) ? null : row.GetFieldValue<byte[]>(3),
                row.GetDateTime(4), row.IsDBNull(5) ? null : new(row.GetInt64(5), row.GetFieldValue<byte[]>(6))));
        return rows;
    }

    private async Task BringAsync(NpgsqlConnection into, List<Row> rows, CancellationToken cancel)
    {
        // The files first: a row never refers to one that is not there.
        foreach (var row in rows.Where(row => row.Data is null))
            await BringFileAsync(row, cancel);
        var keys = rows.ConvertAll(Rewrap);
        // One that is retired between this and the next statement leaves its rows out: they are missed below, and brought by the next run.
        if (await WrappedKeyTables.RetiredAsync([.. keys.Select(key => key?.WrappingKey).OfType<long>().Distinct()], into, null, cancel) is { Count: > 0 } retired)
        {
            target.Contents.Keys.Retire(retired);
            keys = rows.ConvertAll(Rewrap);
        }
        await using var insert = new NpgsqlCommand(
            $"""
            with brought as (
              insert into eventmail.content (number, digest, size, data, created, kek, key, moved)
              select w.*, true from unnest($2::bigint[], $3::bytea[], $4::bigint[], $5::bytea[], $6::timestamptz[], $7::bigint[], $8::bytea[])
                as w (number, digest, size, data, created, kek, key)
              where {WrappedKeyTables.IsNotRetired("w.kek")}
              on conflict (number) do nothing
              returning number)
            insert into eventmail.arriving_content (tenant_id, number) select $1, number from brought on conflict do nothing
            """, into)
        {
            Parameters =
            {
                new() { Value = tenant },
                new() { Value = rows.Select(row => row.Number).ToArray() },
                new() { Value = rows.Select(row => row.Digest).ToArray() },
                new() { Value = rows.Select(row => row.Size).ToArray() },
                new() { Value = rows.Select(row => row.Data).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea },
                new() { Value = rows.Select(row => row.Created).ToArray() },
                new() { Value = keys.Select(key => key?.WrappingKey).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint },
                new() { Value = keys.Select(key => key?.Octets).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea },
            },
        };
        await insert.ExecuteNonQueryAsync(cancel);
        foreach (var row in rows)
            await VerifyAsync(row, cancel);
    }

    private WrappedKey? Rewrap(Row row)
    {
        if (row.Key is not { } wrapped)
            return null;
        Span<byte> key = stackalloc byte[KeyRing.KeyBytes];
        source.Contents.Keys.Unwrap(row.Number, wrapped, key);
        var again = target.Contents.Keys.Wrap(row.Number, key);
        CryptographicOperations.ZeroMemory(key);
        return again;
    }

    private async Task BringFileAsync(Row row, CancellationToken cancel)
    {
        var name = row.Key is null ? ContentFileNames.Plain(row.Digest) : ContentFileNames.Encrypted(row.Digest, row.Number);
        var path = target.Contents.Files.PathOf(name);
        if (File.Exists(path))
            return;
        var from = source.Contents.Files.PathOf(name);
        if (!File.Exists(from))
            throw new TenantMoveException($"The file {from} of a content is missing: put it back from a backup first.");
        var temporary = Path.Combine(target.Contents.Files.Temporary, $"{name}.moving");
        await using (var output = Durable.Create(temporary))
        await using (var input = new FileStream(from, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete))
        {
            await input.CopyToAsync(output, cancel);
            output.Flush(flushToDisk: true);
        }
        var folder = Path.GetDirectoryName(path)!;
        var parent = Path.GetDirectoryName(folder)!;
        OwnFolders.Make(parent);
        OwnFolders.Make(folder);
        File.Move(temporary, path, overwrite: true);
        OwnFolders.Sync(folder);
        OwnFolders.Sync(parent);
        OwnFolders.Sync(target.Contents.Files.Root);
    }

    private async Task VerifyAsync(Row row, CancellationToken cancel)
    {
        await using var content = await target.Contents.ReadAsync(row.Number, cancel);
        await using var octets = content.OpenRead();
        if (!(await SHA256.HashDataAsync(octets, cancel)).AsSpan().SequenceEqual(row.Digest))
            throw new TenantMoveException($"The content {row.Number} is not what its digest says: audit and mend the source first.");
    }
}
