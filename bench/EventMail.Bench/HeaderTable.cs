using EventMail.EventStore;
using Npgsql;

namespace EventMail.Bench;

/// <summary>A header row per stream, as a mailbox has one.</summary>
internal sealed class HeaderTable : IInlineProjection
{
    public const string Create =
        "create table if not exists bench_header (tenant_id varchar, id uuid, version bigint, messages bigint, bytes bigint, primary key (tenant_id, id))";

    public const string Upsert = """
        insert into bench_header (tenant_id, id, version, messages, bytes)
        select * from unnest($1::varchar[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[])
        on conflict (tenant_id, id) do update set version = excluded.version, messages = excluded.messages, bytes = excluded.bytes
        """;

    public string Name => "header";

    public async Task CreateAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(Create, connection);
        await command.ExecuteNonQueryAsync(cancel);
    }

    public void Fold(CommitBatch batch, NpgsqlBatch sql) => sql.BatchCommands.Add(new(Upsert)
    {
        Parameters =
        {
            new() { Value = batch.Changes.Select(c => c.Key.Tenant).ToArray() },
            new() { Value = batch.Changes.Select(c => c.Key.Id).ToArray() },
            new() { Value = batch.Changes.Select(c => c.ToVersion).ToArray() },
            new() { Value = batch.Changes.Select(c => ((SampleState)c.After).Messages).ToArray() },
            new() { Value = batch.Changes.Select(c => ((SampleState)c.After).Messages * 4096).ToArray() },
        },
    });
}
