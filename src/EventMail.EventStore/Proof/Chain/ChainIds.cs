using System.Globalization;
using Npgsql;

namespace EventMail.EventStore.Proof;

/// <summary>The second pass for ids that may stand in the log more than once.</summary>
internal sealed class ChainIds(NpgsqlDataSource source)
{
    // Positions that one statement looks through: a fraction of a second.
    private const long Stretch = 200_000;

    private readonly record struct Place(long Position, StreamKey Stream, long Version, string Type, Guid Id);

    public async Task<List<ChainFault>> FaultsAsync(string? tenant, IReadOnlyCollection<Guid> suspects, long upTo, CancellationToken cancel)
    {
        if (suspects.Count == 0)
            return [];
        var first = new Dictionary<Guid, Place>();
        var faults = new List<ChainFault>();
        Guid[] ids = [.. suspects];
        for (var after = 0L; after < upTo; after += Stretch)
            foreach (var place in await PlacesAsync(tenant, ids, after, Math.Min(after + Stretch, upTo), cancel))
                if (!first.TryAdd(place.Id, place))
                    faults.Add(new(
                        ChainFaultKind.DuplicateId, place.Position, place.Stream.Tenant, place.Stream.Id, place.Version, place.Type, null,
                        string.Create(CultureInfo.InvariantCulture,
                            $"it has the id {place.Id} of the event at position {first[place.Id].Position}: one of them was inserted or changed")));
        return faults;
    }

    private async Task<List<Place>> PlacesAsync(string? tenant, Guid[] ids, long after, long upTo, CancellationToken cancel)
    {
        await using var command = source.CreateCommand("""
            select e.seq_id, coalesce(e.tenant_id, ''), coalesce(e.stream_id, '00000000-0000-0000-0000-000000000000'), e.version, e.type, e.id
            from public.mt_events e join unnest($1::uuid[]) w (id) on w.id = e.id
            where e.seq_id > $2 and e.seq_id <= $3 and ($4::varchar is null or e.tenant_id = $4)
            order by e.seq_id
            """);
        command.Parameters.Add(new() { Value = ids });
        command.Parameters.Add(new() { Value = after });
        command.Parameters.Add(new() { Value = upTo });
        command.Parameters.Add(new() { Value = (object?)tenant ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Varchar });
        var places = new List<Place>();
        await using var rows = await command.ExecuteReaderAsync(cancel);
        while (await rows.ReadAsync(cancel))
            places.Add(new(rows.GetInt64(0), new(rows.GetString(1), rows.GetGuid(2)), rows.GetInt64(3), rows.GetString(4), rows.GetGuid(5)));
        return places;
    }
}
