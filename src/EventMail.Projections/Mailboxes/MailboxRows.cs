using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using Npgsql;
using static EventMail.EventStore.RowsStatement;

namespace EventMail.Projections.Mailboxes;

/// <summary>projections.mailbox: one row a mailbox, its header at its stream's version. Deleted ones stay, so that no UIDVALIDITY comes again.</summary>
internal static class MailboxRows
{
    public const string NameIndex = "mailbox_name";
    public const string UidValidityIndex = "mailbox_uid_validity";

    // Identifiers of access control lists; most mailboxes have none.
    private const string GranteeIndex = "mailbox_grantee";

    // Half-full pages: a delivery updates its row in place (HOT).
    public const string Create = $"""
        create table if not exists mailbox (
          tenant_id varchar not null,
          id uuid not null,
          {MailboxColumns.Definition},
          primary key (tenant_id, id)
        ) with (fillfactor = 50);
        select eventmail.ensure_column('mailbox', 'acl', 'text not null default ''''');
        select eventmail.ensure_index('{NameIndex}',
          'create unique index {NameIndex} on mailbox (tenant_id, name) where not deleted');
        select eventmail.ensure_index('{UidValidityIndex}',
          'create unique index {UidValidityIndex} on mailbox (tenant_id, uid_validity)');
        select eventmail.ensure_index('{GranteeIndex}',
          'create index {GranteeIndex} on mailbox using gin (string_to_array(acl, '' '')) where acl <> ''''');
        """;

    private const string ByKeys = $"""
        select k.tenant_id, k.id, s.version, {MailboxColumns.Selected}
        from unnest($1::varchar[], $2::uuid[]) as k (tenant_id, id)
        join public.mt_streams s on s.tenant_id = k.tenant_id and s.id = k.id
        left join mailbox m on m.tenant_id = k.tenant_id and m.id = k.id
        """;

    private static readonly RowsStatement Upsert = new(
        $"""
        insert into mailbox as m (
          tenant_id, id, {MailboxColumns.Names})
        select * from {RowsStatement.Rows}
        on conflict (tenant_id, id) do update set
          version = excluded.version, name = excluded.name, uid_next = excluded.uid_next, messages = excluded.messages,
          unseen = excluded.unseen, bytes = excluded.bytes, recent_from = excluded.recent_from, keywords = excluded.keywords,
          deleted = excluded.deleted, acl = excluded.acl
        where m.version < excluded.version
        """,
        ("tenant_id", "varchar"), ("id", "uuid"), ("version", "bigint"), ("name", "text"), ("uid_validity", "bigint"),
        ("uid_next", "bigint"), ("messages", "bigint"), ("unseen", "bigint"), ("bytes", "bigint"), ("recent_from", "bigint"),
        ("special_use", "text"), ("keywords", "text"), ("deleted", "boolean"), ("acl", "text"));

    /// <summary>The headers of those of the streams that exist, and their streams' versions, as of one snapshot.</summary>
    public static async Task<List<(StreamKey Key, MailboxState State, long StreamVersion)>> LoadAsync(
        NpgsqlConnection connection, IReadOnlyList<StreamKey> keys, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(ByKeys, connection);
        command.Parameters.Add(new() { Value = keys.Select(k => k.Tenant).ToArray() });
        command.Parameters.Add(new() { Value = keys.Select(k => k.Id).ToArray() });
        var rows = new List<(StreamKey, MailboxState, long)>(keys.Count);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
        {
            var key = new StreamKey(reader.GetString(0), reader.GetGuid(1));
            rows.Add((key, await reader.IsDBNullAsync(3, cancel) ? MailboxState.Empty : MailboxColumns.Read(reader, 3), reader.GetInt64(2)));
        }
        return rows;
    }

    /// <summary>The statement that moves the rows to these states.</summary>
    public static NpgsqlBatchCommand Write(IReadOnlyList<(StreamKey Key, MailboxState State)> rows) => Upsert.For(
        rows.Count, Column(rows, r => r.Key.Tenant), Column(rows, r => r.Key.Id), Column(rows, r => r.State.Version), Column(rows, r => r.State.Name),
        Column(rows, r => (long)r.State.UidValidity), Column(rows, r => (long)r.State.UidNext), Column(rows, r => r.State.Messages),
        Column(rows, r => r.State.Unseen), Column(rows, r => r.State.Bytes), Column(rows, r => (long)r.State.RecentFrom),
        Column(rows, r => r.State.SpecialUse),
        Column(rows, r => MailboxColumns.KeywordsOf(r.State)), Column(rows, r => r.State.Deleted), Column(rows, r => r.State.Acl.ToString()));
}
