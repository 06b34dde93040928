using System.Text.Json;
using EventMail.Domain.Metadata;
using EventMail.EventStore;
using Npgsql;
using NpgsqlTypes;

namespace EventMail.Projections.Metadata;

/// <summary>
/// projections.metadata: one row a stream, all its entries as one JSON value of <see cref="MetadataSet"/>'s shape; beside it
/// metadata_octets: how much of it whose annotations are.
/// </summary>
internal static class MetadataRows
{
    public const string Create = """
        create table if not exists metadata (
          tenant_id varchar not null,
          id uuid not null,
          version bigint not null,
          mailbox uuid null,
          entries jsonb not null,
          primary key (tenant_id, id)
        );
        select eventmail.ensure_index('metadata_mailbox',
          'create index metadata_mailbox on metadata (mailbox)');
        create table if not exists metadata_octets (
          tenant_id varchar not null,
          id uuid not null,
          account varchar not null,
          octets bigint not null,
          primary key (tenant_id, id, account)
        );
        select eventmail.ensure_index('metadata_octets_account',
          'create index metadata_octets_account on metadata_octets (account)');
        """;

    private const string ByKeys = """
        select k.tenant_id, k.id, s.version, m.version, m.entries::text
        from unnest($1::varchar[], $2::uuid[]) as k (tenant_id, id)
        join public.mt_streams s on s.tenant_id = k.tenant_id and s.id = k.id
        left join metadata m on m.tenant_id = k.tenant_id and m.id = k.id
        """;

    private const string OfMailboxes = "select mailbox, entries::text from metadata where mailbox = any($1)";

    private const string Upsert = """
        insert into metadata as m (tenant_id, id, version, mailbox, entries)
        select * from unnest($1::varchar[], $2::uuid[], $3::bigint[], $4::uuid[], $5::jsonb[])
        on conflict (tenant_id, id) do update set version = excluded.version, entries = excluded.entries
        where m.version < excluded.version
        """;

    private const string Delete = """
        delete from metadata m using unnest($1::varchar[], $2::uuid[]) as k (tenant_id, id)
        where m.tenant_id = k.tenant_id and m.id = k.id
        """;

    private const string DeleteOctets = """
        delete from metadata_octets m using unnest($1::varchar[], $2::uuid[]) as k (tenant_id, id)
        where m.tenant_id = k.tenant_id and m.id = k.id
        """;

    private const string InsertOctets = """
        insert into metadata_octets (tenant_id, id, account, octets)
        select * from unnest($1::varchar[], $2::uuid[], $3::varchar[], $4::bigint[])
        """;

    private const string Octets = "select coalesce(sum(octets), 0)::bigint from metadata_octets where account = $1";

    /// <summary>All that an account has annotated.</summary>
    public static async Task<long> OctetsAsync(NpgsqlDataSource source, string account, CancellationToken cancel)
    {
        await using var command = source.CreateCommand(Octets);
        command.Parameters.Add(new() { Value = account });
        return (long)(await command.ExecuteScalarAsync(cancel))!;
    }

    /// <summary>Those of the streams that exist, and their streams' versions, as of one snapshot.</summary>
    public static async Task<List<(StreamKey Key, MetadataState State, long Version, long StreamVersion)>> LoadAsync(
        NpgsqlConnection connection, IReadOnlyList<StreamKey> keys, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(ByKeys, connection);
        command.Parameters.Add(new() { Value = keys.Select(k => k.Tenant).ToArray() });
        command.Parameters.Add(new() { Value = keys.Select(k => k.Id).ToArray() });
        var rows = new List<(StreamKey, MetadataState, long, long)>(keys.Count);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
        {
            var key = new StreamKey(reader.GetString(0), reader.GetGuid(1));
            var isThere = !await reader.IsDBNullAsync(3, cancel);
            rows.Add((key, isThere ? Read(reader.GetString(4)) : MetadataState.Empty, isThere ? reader.GetInt64(3) : 0, reader.GetInt64(2)));
        }
        return rows;
    }

    /// <summary>Those of the mailboxes that are annotated.</summary>
    public static async Task<Dictionary<Guid, MetadataState>> OfMailboxesAsync(NpgsqlDataSource source, Guid[] mailboxes, CancellationToken cancel)
    {
        await using var command = source.CreateCommand(OfMailboxes);
        command.Parameters.Add(new() { Value = mailboxes });
        var states = new Dictionary<Guid, MetadataState>();
        await using var reader = await command.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
            states[reader.GetGuid(0)] = Read(reader.GetString(1));
        return states;
    }

    private static MetadataState Read(string entries) =>
        MetadataState.Empty.Evolve(JsonSerializer.Deserialize(entries, MetadataJson.Default.MetadataSet)!);

    private static string Write(MetadataState state) => JsonSerializer.Serialize(
        new(state.Mailbox, [.. state.Entries.Select(e => new MetadataChange(e.Key.Entry, e.Key.Account, e.Value))]),
        MetadataJson.Default.MetadataSet);

    /// <summary>The statements that move the rows to these states.</summary>
    public static IEnumerable<NpgsqlBatchCommand> Write(IReadOnlyList<(StreamKey Key, MetadataState State, long Version)> rows)
    {
        yield return new(Upsert)
        {
            Parameters =
            {
                Array(rows.Select(r => r.Key.Tenant)), Array(rows.Select(r => r.Key.Id)), Array(rows.Select(r => r.Version)),
                Array(rows.Select(r => r.State.Mailbox)),
                new NpgsqlParameter<string[]> { TypedValue = [.. rows.Select(r => Write(r.State))], NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Jsonb },
            },
        };
        yield return Of(DeleteOctets, rows.Select(r => r.Key).ToList());
        var octets = rows.SelectMany(r => r.State.OctetsBy(r.Key.Tenant).Select(by => (r.Key, Account: by.Key, Octets: by.Value))).ToList();
        if (octets.Count > 0)
            yield return new(InsertOctets)
            {
                Parameters =
                {
                    Array(octets.Select(o => o.Key.Tenant)), Array(octets.Select(o => o.Key.Id)), Array(octets.Select(o => o.Account)),
                    Array(octets.Select(o => o.Octets)),
                },
            };
    }

    /// <summary>The statements for streams whose mailboxes are gone.</summary>
    public static IEnumerable<NpgsqlBatchCommand> Remove(IReadOnlyList<StreamKey> keys) => [Of(Delete, keys), Of(DeleteOctets, keys)];

    private static NpgsqlBatchCommand Of(string statement, IReadOnlyList<StreamKey> keys) =>
        new(statement) { Parameters = { Array(keys.Select(k => k.Tenant)), Array(keys.Select(k => k.Id)) } };

    private static NpgsqlParameter<T[]> Array<T>(IEnumerable<T> values) => new() { TypedValue = [.. values] };
}
