using Npgsql;

namespace EventMail.EventStore;

/// <summary>A row of mt_events as the facts that its hash is over. Reads whatever somebody may have put into the row, without a fault.</summary>
public static class EventFactsRow
{
    /// <summary>Of mt_events e.</summary>
    public const string Columns = """
        e.tenant_id, e.stream_id, e.version, e.id, e.type, e.mt_dotnet_type, e.timestamp,
        e.user_name, e.correlation_id, e.causation_id, e.headers, e.data
        """;

    /// <summary>The number of <see cref="Columns"/>.</summary>
    public const int Count = 12;

    private static readonly DateTimeOffset Epoch = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>The facts, without what comes before it in its stream, and the hash that stands in its headers.</summary>
    /// <param name="first">The place of the first of <see cref="Columns"/>.</param>
    public static EventFacts Read(NpgsqlDataReader row, int first, out byte[]? hash)
    {
        var headers = row.IsDBNull(first + 10) ? [] : row.GetFieldValue<byte[]>(first + 10);
        hash = HashHeader.Find(headers);
        return new(
            Text(row, first) ?? "", row.IsDBNull(first + 1) ? Guid.Empty : row.GetGuid(first + 1), row.GetInt64(first + 2), row.GetGuid(first + 3),
            row.GetString(first + 4), Text(row, first + 5), Time(row.GetFieldValue<long>(first + 6)),
            Text(row, first + 7), Text(row, first + 8), Text(row, first + 9), headers, row.GetFieldValue<byte[]>(first + 11), null);
    }

    private static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    // PostgreSQL's times go further than ours, to infinity: no event of ours has such a one.
    private static DateTimeOffset Time(long microseconds) =>
        microseconds < (DateTimeOffset.MinValue - Epoch).Ticks / TimeSpan.TicksPerMicrosecond ? DateTimeOffset.MinValue
        : microseconds > (DateTimeOffset.MaxValue - Epoch).Ticks / TimeSpan.TicksPerMicrosecond ? DateTimeOffset.MaxValue
        : Epoch.AddTicks(microseconds * TimeSpan.TicksPerMicrosecond);
}
