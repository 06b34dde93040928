using Npgsql;

namespace EventMail.EventStore;

/// <summary>The columns of mt_events that we read.</summary>
internal static class EventRow
{
    public const string Columns = """
        e.seq_id, e.id, e.tenant_id, e.stream_id, e.version, e.type, e.data, e.timestamp,
        e.user_name, e.correlation_id, e.causation_id, e.headers
        """;

    /// <summary>In the same places, without who did it and how: nothing is folded from that.</summary>
    public const string FoldColumns = """
        e.seq_id, e.id, e.tenant_id, e.stream_id, e.version, e.type, e.data, e.timestamp,
        null::varchar, null::varchar, null::varchar, null::varchar
        """;

    public static EventRecord Read(NpgsqlDataReader row) => new(
        row.GetInt64(0), row.GetGuid(1), new(row.GetString(2), row.GetGuid(3)), row.GetInt64(4),
        row.GetString(5), row.GetFieldValue<byte[]>(6), new(row.GetDateTime(7)),
        new(Text(row, 8), Text(row, 9), Text(row, 10), Text(row, 11)));

    private static string? Text(NpgsqlDataReader row, int column)
    {
        var text = row.IsDBNull(column) ? null : row.GetString(column);
        // Marten writes headers that are not there as a JSON null or as a SQL one.
        return column == 11 && text == "null" ? null : text;
    }
}
