using Npgsql;
using NpgsqlTypes;
using static EventMail.EventStore.RowsStatement;

namespace EventMail.EventStore.Tests;

public class RowsStatementTests
{
    private sealed record Row(string Name, long? Number, byte[]? Data, string? Json);

    private static readonly RowsStatement Echo = new(
        $"select w.name, w.number, w.data, w.json::text, $5::bigint from {Rows} order by 1",
        ("name", "varchar"), ("number", "bigint"), ("data", "bytea"), ("json", "jsonb"));

    private static readonly Row[] Some =
        [new("a", 1, [1, 2], """{"x": 1}"""), new("b", null, null, null), new("c", 3, [], "[]")];

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(0, 3)]
    [InlineData(0, 0)]
    public async Task One_row_and_several_are_the_same_to_the_statement(int from, int count)
    {
        await using var log = await TestLog.OpenAsync();
        var rows = Some.Skip(from).Take(count).ToList();
        await using var connection = await log.DataSource.OpenConnectionAsync();
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                Echo.For(
                    rows.Count, Column(rows, r => r.Name), Column(rows, r => r.Number), Column(rows, r => r.Data),
                    Column(rows, r => r.Json, NpgsqlDbType.Jsonb), Value(7L)),
            },
        };
        await using var reader = await batch.ExecuteReaderAsync();
        foreach (var row in rows)
        {
            (await reader.ReadAsync()).ShouldBeTrue();
            reader.GetString(0).ShouldBe(row.Name);
            (reader.IsDBNull(1) ? (long?)null : reader.GetInt64(1)).ShouldBe(row.Number);
            (reader.IsDBNull(2) ? null : reader.GetFieldValue<byte[]>(2)).ShouldBe(row.Data);
            (reader.IsDBNull(3) ? null : reader.GetString(3)).ShouldBe(row.Json);
            reader.GetInt64(4).ShouldBe(7);
        }
        (await reader.ReadAsync()).ShouldBeFalse();
    }

    [Fact]
    public void One_row_needs_no_array_and_several_need_no_statement_each()
    {
        Echo.For(1).CommandText.ShouldContain("from (values ($1::varchar, $2::bigint, $3::bytea, $4::jsonb)) as w (name, number, data, json)");
        Echo.For(2).CommandText.ShouldContain("from unnest($1::varchar[], $2::bigint[], $3::bytea[], $4::jsonb[]) as w (name, number, data, json)");
    }
}
