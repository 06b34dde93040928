using EventMail.EventStore;
using Npgsql;

namespace EventMail.Bench;

/// <summary>A header row per stream, as a mailbox has one, and a row of 875 bytes per content, as what IMAP needs of a message takes.</summary>
internal sealed class HeaderTable : IInlineProjection
{
    public const string Create =
        "create table if not exists bench_header (tenant_id varchar, id uuid, version bigint, messages bigint, bytes bigint, primary key (tenant_id, id));" +
        "create table if not exists bench_summary (number bigint primary key, data bytea not null);" +
        "alter table bench_summary alter column data set storage external";

    public const string Summaries = "insert into bench_summary (number, data) select * from unnest($1::bigint[], $2::bytea[]) on conflict do nothing";

    public static readonly byte[] Summary = System.Text.Encoding.ASCII.GetBytes(new string('s', 875));

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

    public void Fold(CommitBatch batch, NpgsqlBatch sql)
    {
        sql.BatchCommands.Add(new(Summaries)
        {
            Parameters =
            {
                new() { Value = batch.Contents.Select(c => c.Number).ToArray() },
                new() { Value = batch.Contents.Select(_ => Summary).ToArray() },
            },
        });
        sql.BatchCommands.Add(new(Upsert)
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
}
