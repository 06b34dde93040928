using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;
using Npgsql;

namespace EventMail.Projections.Past;

/// <summary>projections.past_picture: <see cref="Picture"/>s of mailboxes at some versions of their streams. No row is ever changed.</summary>
internal static class PictureRows
{
    public static readonly string[] Tables = ["past_picture"];

    // The columns are packed already: nothing is gained by compressing them again.
    public const string Create = $"""
        create table if not exists past_picture (
          tenant_id varchar not null,
          mailbox_id uuid not null,
          {MailboxColumns.Definition},
          nth int not null,
          began bigint not null,
          stands_on bigint[] not null,
          cost bigint not null,
          came bytea[] not null,
          changes bytea not null,
          primary key (tenant_id, mailbox_id, version)
        );
        select eventmail.ensure_storage('past_picture', 'came', 'external');
        select eventmail.ensure_storage('past_picture', 'changes', 'external');
        """;

    private const string Insert = $"""
        insert into past_picture (tenant_id, mailbox_id, {MailboxColumns.Names}, nth, began, stands_on, cost, came, changes)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20) on conflict do nothing
        """;

    private const string Last = """
        select m.version, m.nth, m.began, m.stands_on, m.cost from past_picture m
        where m.tenant_id = $1 and m.mailbox_id = $2 and m.version > $3 and m.version <= $4 order by m.version desc limit 1
        """;

    private const string Parts = $"""
        with last as materialized ({Last})
        select m.came, case when m.version = l.version or m.version = any(l.stands_on) then m.changes end,
          case when m.version = l.version then m.cost end, {MailboxColumns.Selected}
        from last l join past_picture m on m.tenant_id = $1 and m.mailbox_id = $2 and m.version between l.began and l.version
        order by m.version
        """;

    private const string Changes = """
        select m.changes from past_picture m where m.tenant_id = $1 and m.mailbox_id = $2 and m.version = any($3) order by m.version
        """;

    /// <summary>The place of the last picture up to a version; null when there is none.</summary>
    public static async Task<PicturePlace?> LastAsync(NpgsqlConnection connection, StreamKey key, long version, CancellationToken cancel)
    {
        await using var command = Command(Last, connection, key, 0L, version);
        await using var row = await command.ExecuteReaderAsync(cancel);
        return await row.ReadAsync(cancel)
            ? new(row.GetInt64(0), row.GetInt32(1), row.GetInt64(2), row.GetFieldValue<long[]>(3), row.GetInt64(4))
            : null;
    }

    /// <summary>The mailbox of the last picture above a version and up to another; null when there is none, or none that can be read.</summary>
    public static async Task<MailboxState?> LoadAsync(NpgsqlConnection connection, StreamKey key, long above, long version, CancellationToken cancel)
    {
        var (state, cost) = (default(MailboxState), 0L);
        var (came, changes) = (new List<byte[]>(), new List<ViewChanges>());
        await using (var command = Command(Parts, connection, key, above, version))
        await using (var row = await command.ExecuteReaderAsync(cancel))
        {
            while (await row.ReadAsync(cancel))
            {
                cost -= PicturePlace.CostOfRow;
                came.AddRange(row.GetFieldValue<byte[][]>(0));
                if (!row.IsDBNull(1))
                {
                    if (!ViewChanges.TryDecode(row.GetFieldValue<byte[]>(1), out var more))
                        return null;
                    changes.Add(more);
                }
                if (row.IsDBNull(2))
                    continue;
                cost += row.GetInt64(2);
                state = MailboxColumns.Read(row, 3);
            }
        }
        return state is null ? null : PictureParts.Assemble(state, came, [.. changes], cost);
    }

    /// <summary>The changes of the pictures of these versions, the earliest first; fewer where some are not there or cannot be read.</summary>
    public static async Task<List<ViewChanges>> ChangesAsync(NpgsqlConnection connection, StreamKey key, long[] versions, CancellationToken cancel)
    {
        var changes = new List<ViewChanges>(versions.Length);
        if (versions.Length == 0)
            return changes;
        await using var command = new NpgsqlCommand(Changes, connection)
        {
            Parameters = { new() { Value = key.Tenant }, new() { Value = key.Id }, new NpgsqlParameter<long[]> { TypedValue = versions } },
        };
        await using var row = await command.ExecuteReaderAsync(cancel);
        while (await row.ReadAsync(cancel))
        {
            if (ViewChanges.TryDecode(row.GetFieldValue<byte[]>(0), out var more))
                changes.Add(more);
        }
        return changes;
    }

    public static async Task StoreAsync(NpgsqlTransaction transaction, StreamKey key, Picture picture, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(Insert, transaction.Connection, transaction)
        {
            Parameters = { new() { Value = key.Tenant }, new() { Value = key.Id } },
        };
        MailboxColumns.Add(command.Parameters, picture.State);
        command.Parameters.Add(new() { Value = picture.Place.Nth });
        command.Parameters.Add(new() { Value = picture.Place.Began });
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = picture.Place.StandsOn });
        command.Parameters.Add(new() { Value = picture.Place.Cost });
        command.Parameters.Add(new NpgsqlParameter<byte[][]> { TypedValue = [.. picture.Came.Select(SegmentFormat.Encode)] });
        command.Parameters.Add(new() { Value = picture.Changes.Encode() });
        await command.ExecuteNonQueryAsync(cancel);
    }

    private static NpgsqlCommand Command(string sql, NpgsqlConnection connection, StreamKey key, long above, long version) => new(sql, connection)
    {
        Parameters = { new() { Value = key.Tenant }, new() { Value = key.Id }, new() { Value = above }, new() { Value = version } },
    };
}
