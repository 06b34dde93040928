using EventMail.EventStore;
using Npgsql;

namespace EventMail.Projections;

/// <summary>Streams of which nothing is decided on what they hold: the version is all that appending needs.</summary>
internal abstract class AppendOnlyKind : StreamKind
{
    private static readonly object Nothing = new();

    public override object Empty(StreamKey key) => Nothing;

    public override object Evolve(object state, StoredEvent e) => state;

    public override async Task<IReadOnlyDictionary<StreamKey, LoadedState>> LoadAsync(
        NpgsqlConnection connection, EventReader reader, IReadOnlyList<StreamKey> keys, CancellationToken cancel)
    {
        const string sql = """
            select tenant_id, id, version from public.mt_streams
            where (tenant_id, id) in (select * from unnest($1::varchar[], $2::uuid[]))
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters =
            {
                new() { Value = keys.Select(k => k.Tenant).ToArray() }, new() { Value = keys.Select(k => k.Id).ToArray() },
            },
        };
        var states = new Dictionary<StreamKey, LoadedState>(keys.Count);
        await using var rows = await command.ExecuteReaderAsync(cancel);
        while (await rows.ReadAsync(cancel))
            states[new(rows.GetString(0), rows.GetGuid(1))] = new(Nothing, rows.GetInt64(2));
        return states;
    }
}
