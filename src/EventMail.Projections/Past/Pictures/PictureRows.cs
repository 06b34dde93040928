using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;
using Npgsql;

namespace EventMail.Projections.Past;

/// <summary>
/// projections.past_picture: a mailbox's header at some versions of its stream, and which chunks its messages were; projections.past_chunk:
/// those chunks, each stored with the first picture that it is in and shared by those after it.
/// </summary>
internal static class PictureRows
{
    public static readonly string[] Tables = ["past_picture", "past_chunk"];

    private const string Header =
        "version, name, uid_validity, uid_next, messages, unseen, bytes, recent_from, special_use, keywords, deleted, acl";

    public const string Create = """
        create table if not exists past_picture (
          tenant_id varchar not null,
          mailbox_id uuid not null,
          version bigint not null,
          name text not null,
          uid_validity bigint not null,
          uid_next bigint not null,
          messages bigint not null,
          unseen bigint not null,
          bytes bigint not null,
          recent_from bigint not null,
          special_use text null,
          keywords text not null,
          deleted boolean not null,
          acl text not null,
          first_uids bigint[] not null,
          stored_at bigint[] not null,
          primary key (tenant_id, mailbox_id, version)
        );
        create table if not exists past_chunk (
          tenant_id varchar not null,
          mailbox_id uuid not null,
          first_uid bigint not null,
          version bigint not null,
          columns bytea not null,
          primary key (tenant_id, mailbox_id, first_uid, version)
        );
        """;

    private const string Last = $"""
        select {MailboxRows.Columns}, m.first_uids, m.stored_at from past_picture m
        where m.tenant_id = $1 and m.mailbox_id = $2 and m.version <= $3 order by m.version desc limit 1
        """;

    private const string Chunks = """
        select c.columns from unnest($3::bigint[], $4::bigint[]) with ordinality as k (first_uid, version, n)
        join past_chunk c on c.tenant_id = $1 and c.mailbox_id = $2 and c.first_uid = k.first_uid and c.version = k.version
        order by k.n
        """;

    private const string Insert = $"""
        insert into past_picture (tenant_id, mailbox_id, {Header}, first_uids, stored_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) on conflict do nothing
        """;

    private const string InsertChunks = """
        insert into past_chunk (tenant_id, mailbox_id, first_uid, version, columns)
        select $1, $2, k.first_uid, $3, k.columns from unnest($4::bigint[], $5::bytea[]) as k (first_uid, columns) on conflict do nothing
        """;

    /// <summary>The last picture up to a version; null when there is none, or none that can be read.</summary>
    public static async Task<Picture?> LoadAsync(NpgsqlConnection connection, StreamKey key, long version, CancellationToken cancel)
    {
        await using var last = new NpgsqlCommand(Last, connection)
        {
            Parameters = { new() { Value = key.Tenant }, new() { Value = key.Id }, new() { Value = version } },
        };
        MailboxState state;
        long[] firstUids, storedAt;
        await using (var row = await last.ExecuteReaderAsync(cancel))
        {
            if (!await row.ReadAsync(cancel))
                return null;
            state = MailboxRows.Read(row, 0);
            (firstUids, storedAt) = (row.GetFieldValue<long[]>(12), row.GetFieldValue<long[]>(13));
        }
        await using var load = new NpgsqlCommand(Chunks, connection)
        {
            Parameters =
            {
                new() { Value = key.Tenant }, new() { Value = key.Id },
                new NpgsqlParameter<long[]> { TypedValue = firstUids }, new NpgsqlParameter<long[]> { TypedValue = storedAt },
            },
        };
        var chunks = new List<Chunk>(firstUids.Length);
        await using (var row = await load.ExecuteReaderAsync(cancel))
        {
            while (await row.ReadAsync(cancel))
            {
                if (!SegmentFormat.TryDecode(row.GetFieldValue<byte[]>(0), out var chunk))
                    return null;
                chunks.Add(chunk);
            }
        }
        if (chunks.Count != firstUids.Length)
            return null;
        var view = MailboxView.FromChunks(chunks, state.UidNext, state.Version, state.Flags);
        return view.Count == state.Messages ? new(state.WithView(view), storedAt) : null;
    }

    /// <summary>Stores a picture, and of its chunks those that the one before does not have.</summary>
    public static async Task StoreAsync(NpgsqlTransaction transaction, StreamKey key, MailboxState state, Picture? before, CancellationToken cancel)
    {
        var known = new Dictionary<Chunk, long>(ReferenceEqualityComparer.Instance);
        for (var i = 0; i < (before?.State.View!.ChunkCount ?? 0); i++)
            known[before!.State.View!.ChunkAt(i)] = before.StoredAt[i];
        var view = state.View!;
        var (firstUids, storedAt, added) = (new long[view.ChunkCount], new long[view.ChunkCount], new List<Chunk>());
        for (var i = 0; i < firstUids.Length; i++)
        {
            var chunk = view.ChunkAt(i);
            firstUids[i] = chunk.FirstUid;
            if (!known.TryGetValue(chunk, out storedAt[i]))
            {
                storedAt[i] = state.Version;
                added.Add(chunk);
            }
        }
        foreach (var page in added.Chunk(64))
        {
            await using var chunks = new NpgsqlCommand(InsertChunks, transaction.Connection, transaction)
            {
                Parameters =
                {
                    new() { Value = key.Tenant }, new() { Value = key.Id }, new() { Value = state.Version },
                    new NpgsqlParameter<long[]> { TypedValue = [.. page.Select(chunk => (long)chunk.FirstUid)] },
                    new NpgsqlParameter<byte[][]> { TypedValue = [.. page.Select(SegmentFormat.Encode)] },
                },
            };
            await chunks.ExecuteNonQueryAsync(cancel);
        }
        await using var picture = new NpgsqlCommand(Insert, transaction.Connection, transaction)
        {
            Parameters =
            {
                new() { Value = key.Tenant }, new() { Value = key.Id }, new() { Value = state.Version }, new() { Value = state.Name },
                new() { Value = (long)state.UidValidity }, new() { Value = (long)state.UidNext }, new() { Value = state.Messages },
                new() { Value = state.Unseen }, new() { Value = state.Bytes }, new() { Value = (long)state.RecentFrom },
                new() { Value = (object?)state.SpecialUse ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text },
                new() { Value = string.Join(' ', state.Flags.Keywords) }, new() { Value = state.Deleted }, new() { Value = state.Acl.ToString() },
                new NpgsqlParameter<long[]> { TypedValue = firstUids }, new NpgsqlParameter<long[]> { TypedValue = storedAt },
            },
        };
        await picture.ExecuteNonQueryAsync(cancel);
    }
}

/// <summary>A mailbox as it was, and for each of its chunks the version of the picture that it was stored with.</summary>
internal sealed record Picture(MailboxState State, IReadOnlyList<long> StoredAt);
