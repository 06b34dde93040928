using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;
using Npgsql;

namespace EventMail.Projections.Past;

/// <summary>
/// projections.past_picture: a mailbox's header at some versions of its stream, and which chunks its messages were; projections.past_chunk:
/// those chunks, each stored with the first picture that it is in and shared by those after it, whole or as marks on one that is whole.
/// </summary>
internal static class PictureRows
{
    public static readonly string[] Tables = ["past_picture", "past_chunk"];

    // The columns are packed already: nothing is gained by compressing them again.
    public const string Create = $"""
        create table if not exists past_picture (
          tenant_id varchar not null,
          mailbox_id uuid not null,
          {MailboxColumns.Definition},
          first_uids bigint[] not null,
          stored_at bigint[] not null,
          primary key (tenant_id, mailbox_id, version)
        );
        create table if not exists past_chunk (
          tenant_id varchar not null,
          mailbox_id uuid not null,
          first_uid bigint not null,
          version bigint not null,
          whole_at bigint null,
          columns bytea not null,
          primary key (tenant_id, mailbox_id, first_uid, version)
        );
        select eventmail.ensure_storage('past_chunk', 'columns', 'external');
        """;

    private const string Last = $"""
        select {MailboxColumns.Selected}, m.first_uids, m.stored_at from past_picture m
        where m.tenant_id = $1 and m.mailbox_id = $2 and m.version > $3 and m.version <= $4 order by m.version desc limit 1
        """;

    private const string Insert = $"""
        insert into past_picture (tenant_id, mailbox_id, {MailboxColumns.Names}, first_uids, stored_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) on conflict do nothing
        """;

    private const string InsertChunks = """
        insert into past_chunk (tenant_id, mailbox_id, version, first_uid, whole_at, columns)
        select $1, $2, $3, * from unnest($4::bigint[], $5::bigint[], $6::bytea[]) on conflict do nothing
        """;

    /// <summary>The last picture above a version and up to another; null when there is none, or none that can be read.</summary>
    public static async Task<Picture?> LoadAsync(
        NpgsqlConnection connection, StreamKey key, long above, long version, PictureMemory memory, CancellationToken cancel)
    {
        await using var last = new NpgsqlCommand(Last, connection)
        {
            Parameters = { new() { Value = key.Tenant }, new() { Value = key.Id }, new() { Value = above }, new() { Value = version } },
        };
        MailboxState state;
        long[] firstUids, storedAt;
        await using (var row = await last.ExecuteReaderAsync(cancel))
        {
            if (!await row.ReadAsync(cancel))
                return null;
            state = MailboxColumns.Read(row, 0);
            (firstUids, storedAt) = (row.GetFieldValue<long[]>(MailboxColumns.Count), row.GetFieldValue<long[]>(MailboxColumns.Count + 1));
        }
        if (await PictureChunks.LoadAsync(connection, key, firstUids, storedAt, memory, cancel) is not { } chunks)
            return null;
        var view = MailboxView.FromChunks([.. chunks.Select(stored => stored.Chunk)], state.UidNext, state.Version, state.Flags);
        return view.Count == state.Messages ? new(state.WithView(view), chunks) : null;
    }

    public static async Task StoreAsync(NpgsqlTransaction transaction, StreamKey key, PictureDraft draft, CancellationToken cancel)
    {
        foreach (var page in draft.New.Chunk(64))
        {
            await using var chunks = new NpgsqlCommand(InsertChunks, transaction.Connection, transaction)
            {
                Parameters =
                {
                    new() { Value = key.Tenant }, new() { Value = key.Id }, new() { Value = draft.State.Version },
                    new NpgsqlParameter<long[]> { TypedValue = [.. page.Select(chunk => chunk.FirstUid)] },
                    new NpgsqlParameter<long?[]> { TypedValue = [.. page.Select(chunk => chunk.WholeAt)] },
                    new NpgsqlParameter<byte[][]> { TypedValue = [.. page.Select(chunk => chunk.Columns)] },
                },
            };
            await chunks.ExecuteNonQueryAsync(cancel);
        }
        await using var picture = new NpgsqlCommand(Insert, transaction.Connection, transaction)
        {
            Parameters = { new() { Value = key.Tenant }, new() { Value = key.Id } },
        };
        MailboxColumns.Add(picture.Parameters, draft.State);
        picture.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. draft.Chunks.Select(stored => (long)stored.Chunk.FirstUid)] });
        picture.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. draft.Chunks.Select(stored => stored.Version)] });
        await picture.ExecuteNonQueryAsync(cancel);
    }
}
