using Npgsql;

namespace EventMail.EventStore;

/// <summary>The columns of mt_events that we read, and a row of them as what it is read as.</summary>
internal static class EventRow
{
    public const string Columns = """
        e.seq_id, e.id, e.tenant_id, e.stream_id, e.version, e.type, e.data, e.timestamp,
        e.user_name, e.correlation_id, e.causation_id, e.headers
        """;

    /// <summary>The row's event; its data is a <see cref="SplitEvent"/> where it is several.</summary>
    public static StoredEvent Read(NpgsqlDataReader row, EventTypeMap types)
    {
        var type = row.GetString(5);
        return new(
            row.GetInt64(0), row.GetGuid(1), new(row.GetString(2), row.GetGuid(3)), row.GetInt64(4),
            type, types.TryRead(type, row.GetFieldValue<byte[]>(6)), new(row.GetDateTime(7)),
            new(Text(row, 8), Text(row, 9), Text(row, 10), Text(row, 11)));
    }

    private static string? Text(NpgsqlDataReader row, int column)
    {
        var text = row.IsDBNull(column) ? null : row.GetString(column);
        // Marten writes headers that are not there as a JSON null or as a SQL one.
        return column == 11 && text == "null" ? null : text;
    }
}
