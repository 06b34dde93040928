using Npgsql;

namespace EventMail.EventStore.Proof;

/// <summary>An event's row, as much of it as verification looks at.</summary>
/// <param name="Facts">Without what comes before it.</param>
/// <param name="Hash">As its headers say; null when there is none.</param>
/// <param name="HasOctets">bdata is not null.</param>
internal sealed record ChainRow(long Position, EventFacts Facts, byte[]? Hash, bool HasOctets, bool IsArchived)
{
    /// <summary>Of mt_events e.</summary>
    public const string Columns = $"e.seq_id, e.bdata is not null, e.is_archived is true, {EventFactsRow.Columns}";

    public static ChainRow Read(NpgsqlDataReader row, int first = 0)
    {
        var facts = EventFactsRow.Read(row, first + 3, out var hash);
        return new(row.GetInt64(first), facts, hash, row.GetBoolean(first + 1), row.GetBoolean(first + 2));
    }

    public StreamKey Stream => new(Facts.Tenant, Facts.Stream);

    /// <summary>What the next event follows: the hash that it has, or that of its row.</summary>
    public byte[] Followed() => Hash ?? EventHash.Of(Facts);
}
