using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using Npgsql;

namespace EventMail.Projections.Mailboxes;

/// <summary>
/// Persisted views: a row with the header at some version, and the chunks of exactly that version as segments. What has happened
/// since is read from the stream. Written behind the commits; may lag, may be missing, is never wrong.
/// </summary>
internal static class MailboxSnapshotRows
{
    public const string Create = $"""

        create table if not exists mailbox_snapshot (
          tenant_id varchar not null,
          mailbox_id uuid not null,
          {MailboxColumns.Definition},
          primary key (tenant_id, mailbox_id)
        );
        select eventmail.ensure_column('mailbox_snapshot', 'acl', 'text not null default ''''');
        create table if not exists mailbox_segment (
          tenant_id varchar not null,
          mailbox_id uuid not null,
          first_uid bigint not null,
          columns bytea not null,
          primary key (tenant_id, mailbox_id, first_uid)
        );
        select eventmail.ensure_storage('mailbox_segment', 'columns', 'external');
        """;

    // One statement: the segments must be of the snapshot's version.
    private const string Select = $"""
        select {MailboxColumns.Selected}, g.columns
        from mailbox_snapshot m
        left join mailbox_segment g on g.tenant_id = m.tenant_id and g.mailbox_id = m.mailbox_id
        where m.tenant_id = $1 and m.mailbox_id = $2
        order by g.first_uid
        """;

    /// <summary>The state at the snapshot's version with its view; null when there is no snapshot, or none that can be read.</summary>
    public static async Task<MailboxState?> LoadAsync(NpgsqlConnection connection, StreamKey key, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(Select, connection)
        {
            Parameters = { new() { Value = key.Tenant }, new() { Value = key.Id } },
        };
        MailboxState? state = null;
        var chunks = new List<Chunk>();
        await using var reader = await command.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
        {
            state ??= MailboxColumns.Read(reader, 0);
            if (await reader.IsDBNullAsync(MailboxColumns.Count, cancel))
                break;
            if (!SegmentFormat.TryDecode(reader.GetFieldValue<byte[]>(MailboxColumns.Count), out var chunk))
                return null;
            chunks.Add(chunk);
        }
        if (state is null)
            return null;
        var view = MailboxView.FromChunks(chunks, state.UidNext, state.Version, state.Flags);
        return view.Count == state.Messages ? state.WithView(view) : null;
    }

    /// <summary>
    /// Replaces a snapshot by a state with its view; only segments that differ are written. False, and nothing written, when the
    /// stored snapshot is another one.
    /// </summary>
    public static async Task<bool> ReplaceAsync(
        NpgsqlConnection connection, StreamKey key, PersistedView before, MailboxState state, CancellationToken cancel)
    {
        const string insert = $"""
            insert into mailbox_snapshot (tenant_id, mailbox_id, {MailboxColumns.Names})
            values ($1, $2, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) on conflict do nothing
            """;
        const string update = $"""
            update mailbox_snapshot set ({MailboxColumns.Names}) = ($4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
            where tenant_id = $1 and mailbox_id = $2 and version = $3
            """;
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        await using (var move = new NpgsqlCommand(before.Version == 0 ? $"{insert} returning $3::bigint" : update, connection, transaction))
        {
            AddHeader(move, key, before.Version, state);
            var moved = before.Version == 0 ? await move.ExecuteScalarAsync(cancel) is not null : await move.ExecuteNonQueryAsync(cancel) == 1;
            if (!moved)
                return false;
        }
        var (gone, changed) = before.Compare(state.View!);
        await WriteSegmentsAsync(connection, transaction, key, gone, changed, cancel);
        await transaction.CommitAsync(cancel);
        return true;
    }

    /// <summary>
    /// Writes a state with its view over any snapshot that is not newer: one of the same version may be of an older format. False
    /// when the stored one is newer.
    /// </summary>
    public static async Task<bool> OverwriteAsync(NpgsqlConnection connection, StreamKey key, MailboxState state, CancellationToken cancel)
    {
        const string upsert = $"""
            insert into mailbox_snapshot as s (tenant_id, mailbox_id, {MailboxColumns.Names})
            values ($1, $2, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
            on conflict (tenant_id, mailbox_id) do update set ({MailboxColumns.Names}) = ($4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
            where s.version <= excluded.version
            returning $3::bigint
            """;
        const string delete = "delete from mailbox_segment where tenant_id = $1 and mailbox_id = $2";
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        await using (var move = new NpgsqlCommand(upsert, connection, transaction))
        {
            AddHeader(move, key, 0, state);
            if (await move.ExecuteScalarAsync(cancel) is null)
                return false;
        }
        await using (var clear = new NpgsqlCommand(delete, connection, transaction)
        {
            Parameters = { new() { Value = key.Tenant }, new() { Value = key.Id } },
        })
            await clear.ExecuteNonQueryAsync(cancel);
        var (_, all) = PersistedView.None.Compare(state.View!);
        await WriteSegmentsAsync(connection, transaction, key, [], all, cancel);
        await transaction.CommitAsync(cancel);
        return true;
    }

    public static async Task DeleteAsync(NpgsqlConnection connection, StreamKey key, CancellationToken cancel)
    {
        const string sql = """
            with s as (delete from mailbox_snapshot where tenant_id = $1 and mailbox_id = $2)
            delete from mailbox_segment where tenant_id = $1 and mailbox_id = $2
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters = { new() { Value = key.Tenant }, new() { Value = key.Id } },
        };
        await command.ExecuteNonQueryAsync(cancel);
    }

    private static async Task WriteSegmentsAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, StreamKey key, List<long> gone, List<Chunk> changed, CancellationToken cancel)
    {
        const string delete =
            "delete from mailbox_segment where tenant_id = $1 and mailbox_id = $2 and first_uid = any($3)";
        const string upsert = """
            insert into mailbox_segment (tenant_id, mailbox_id, first_uid, columns)
            select $1, $2, * from unnest($3::bigint[], $4::bytea[])
            on conflict (tenant_id, mailbox_id, first_uid) do update set columns = excluded.columns
            """;
        if (gone.Count > 0)
        {
            await using var command = new NpgsqlCommand(delete, connection, transaction)
            {
                Parameters = { new() { Value = key.Tenant }, new() { Value = key.Id }, new() { Value = gone.ToArray() } },
            };
            await command.ExecuteNonQueryAsync(cancel);
        }
        foreach (var page in changed.Chunk(64))
        {
            await using var command = new NpgsqlCommand(upsert, connection, transaction)
            {
                Parameters =
                {
                    new() { Value = key.Tenant }, new() { Value = key.Id },
                    new() { Value = page.Select(c => (long)c.FirstUid).ToArray() },
                    new() { Value = page.Select(SegmentFormat.Encode).ToArray() },
                },
            };
            await command.ExecuteNonQueryAsync(cancel);
        }
    }

    private static void AddHeader(NpgsqlCommand command, StreamKey key, long before, MailboxState state)
    {
        command.Parameters.Add(new() { Value = key.Tenant });
        command.Parameters.Add(new() { Value = key.Id });
        command.Parameters.Add(new() { Value = before });
        MailboxColumns.Add(command.Parameters, state);
    }
}
