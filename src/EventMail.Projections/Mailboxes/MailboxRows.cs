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
          acl text not null default '',
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

    public const string Columns =
        "m.version, m.name, m.uid_validity, m.uid_next, m.messages, m.unseen, m.bytes, m.recent_from, m.special_use, m.keywords, m.deleted, m.acl";

    private const string ByKeys = $"""
        select k.tenant_id, k.id, s.version, {Columns}
        from unnest($1::varchar[], $2::uuid[]) as k (tenant_id, id)
        join public.mt_streams s on s.tenant_id = k.tenant_id and s.id = k.id
        left join mailbox m on m.tenant_id = k.tenant_id and m.id = k.id
        """;

    private static readonly RowsStatement Upsert = new(
        $"""
        insert into mailbox as m (
          tenant_id, id, version, name, uid_validity, uid_next, messages, unseen, bytes, recent_from, special_use, keywords, deleted, acl)
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
            rows.Add((key, await reader.IsDBNullAsync(3, cancel) ? MailboxState.Empty : Read(reader, 3), reader.GetInt64(2)));
        }
        return rows;
    }

    /// <summary>Reads <see cref="Columns"/> from the ordinal <paramref name="at"/> on.</summary>
    public static MailboxState Read(NpgsqlDataReader reader, int at)
    {
        var keywords = reader.GetString(at + 9);
        var state = new MailboxState
        {
            Version = reader.GetInt64(at),
            Name = reader.GetString(at + 1),
            UidValidity = (uint)reader.GetInt64(at + 2),
            UidNext = (uint)reader.GetInt64(at + 3),
            Messages = reader.GetInt64(at + 4),
            Unseen = reader.GetInt64(at + 5),
            Bytes = reader.GetInt64(at + 6),
            RecentFrom = (uint)reader.GetInt64(at + 7),
            SpecialUse = reader.IsDBNull(at + 8) ? null : reader.GetString(at + 8),
            Flags = keywords.Length == 0 ? FlagTable.Empty : FlagTable.Of(keywords.Split(' ')),
            Deleted = reader.GetBoolean(at + 10),
            Acl = AccessList.Parse(reader.GetString(at + 11)),
        };
        return state.Messages > 0 ? state : state with { View = MailboxView.FromChunks([], state.UidNext, state.Version, state.Flags) };
    }

    /// <summary>The statement that moves the rows to these states.</summary>
    public static NpgsqlBatchCommand Write(IReadOnlyList<(StreamKey Key, MailboxState State)> rows) => Upsert.For(
        rows.Count, Column(rows, r => r.Key.Tenant), Column(rows, r => r.Key.Id), Column(rows, r => r.State.Version), Column(rows, r => r.State.Name),
        Column(rows, r => (long)r.State.UidValidity), Column(rows, r => (long)r.State.UidNext), Column(rows, r => r.State.Messages),
        Column(rows, r => r.State.Unseen), Column(rows, r => r.State.Bytes), Column(rows, r => (long)r.State.RecentFrom),
        Column(rows, r => r.State.SpecialUse),
        // Keywords are atoms: none has a space.
        Column(rows, r => string.Join(' ', r.State.Flags.Keywords)), Column(rows, r => r.State.Deleted), Column(rows, r => r.State.Acl.ToString()));
}
