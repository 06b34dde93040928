using EventMail.EventStore;
using Npgsql;

namespace EventMail.Projections.Moving;

/// <summary>Which contents the events that have come to the target name: one each, or one for each message that was copied or restored.</summary>
internal static class MovedContents
{
    private const string Sql = """
        with e as (select data from eventmail.arriving_event where tenant_id = $1 and seq_id > $2 and seq_id <= $3)
        select (data->'Content'->>'Number')::bigint from e where jsonb_typeof(data->'Content'->'Number') = 'number'
        union
        select n::bigint from e, jsonb_array_elements(case when jsonb_typeof(data->'Contents') = 'array' then data->'Contents' else '[]' end) n
        order by 1
        """;

    public static async Task<List<long>> NumbersAsync(EventLog target, string account, long after, long to, CancellationToken cancel)
    {
        await using var connection = await target.Sessions.OpenConnectionAsync(cancel);
        await using var command = new NpgsqlCommand(Sql, connection)
        {
            Parameters = { new() { Value = account }, new() { Value = after }, new() { Value = to } },
            CommandTimeout = 0,
        };
        var numbers = new List<long>();
        await using var row = await command.ExecuteReaderAsync(cancel);
        while (await row.ReadAsync(cancel))
            numbers.Add(row.GetInt64(0));
        return numbers;
    }
}
