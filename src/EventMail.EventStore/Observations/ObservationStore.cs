using Npgsql;

namespace EventMail.EventStore.Observations;

/// <summary>What somebody said of himself.</summary>
/// <param name="Seen">When he last said so.</param>
/// <param name="Until">How long he may be held to it.</param>
public sealed record Observation(string Name, string Value, DateTimeOffset Seen, DateTimeOffset Until);

/// <summary>
/// The observations of one kind, shared by all nodes and kept over restarts until they are over. Not events: each replaces the one
/// before, and nobody asks for those. Thread-safe.
/// </summary>
public sealed class ObservationStore(NpgsqlDataSource dataSource, string kind)
{
    /// <summary>The one that holds now.</summary>
    public async Task<Observation?> FindAsync(string name, DateTimeOffset now, CancellationToken cancel)
    {
        await using var command = dataSource.CreateCommand(
            "select name, value, seen, until from eventmail.observation where kind = $1 and name = $2 and until > $3");
        Add(command, kind, name, now.ToUniversalTime());
        await using var reader = await command.ExecuteReaderAsync(cancel);
        return await reader.ReadAsync(cancel) ? Read(reader) : null;
    }

    /// <summary>Replaces an earlier one of the name; one that is newer than this, seen by another node, stays.</summary>
    public async Task SaveAsync(Observation observation, CancellationToken cancel)
    {
        await using var command = dataSource.CreateCommand(
            """
            insert into eventmail.observation as o (kind, name, value, seen, until, tried) values ($1, $2, $3, $4, $5, $4)
            on conflict (kind, name) do update set value = excluded.value, seen = excluded.seen, until = excluded.until, tried = excluded.tried
            where o.seen <= excluded.seen
            """);
        Add(command, kind, observation.Name, observation.Value, observation.Seen.ToUniversalTime(), observation.Until.ToUniversalTime());
        await command.ExecuteNonQueryAsync(cancel);
    }

    /// <summary>
    /// Those that were last seen before <paramref name="seenBefore"/>, for one node to look at: no other gets them for
    /// <paramref name="pause"/>. Forgets those that are over.
    /// </summary>
    public async Task<IReadOnlyList<Observation>> ClaimStaleAsync(
        DateTimeOffset seenBefore, DateTimeOffset now, TimeSpan pause, int limit, CancellationToken cancel)
    {
        await using (var forget = dataSource.CreateCommand("delete from eventmail.observation where kind = $1 and until <= $2"))
        {
            Add(forget, kind, now.ToUniversalTime());
            await forget.ExecuteNonQueryAsync(cancel);
        }
        await using var command = dataSource.CreateCommand(
            """
            update eventmail.observation set tried = $3 where (kind, name) in (
                select kind, name from eventmail.observation
                where kind = $1 and seen < $2 and tried <= $4
                order by seen limit $5 for update skip locked)
            returning name, value, seen, until
            """);
        Add(command, kind, seenBefore.ToUniversalTime(), now.ToUniversalTime(), (now - pause).ToUniversalTime(), limit);
        var stale = new List<Observation>();
        await using var reader = await command.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
            stale.Add(Read(reader));
        return stale;
    }

    private static Observation Read(NpgsqlDataReader reader) =>
        new(reader.GetString(0), reader.GetString(1), reader.GetFieldValue<DateTimeOffset>(2), reader.GetFieldValue<DateTimeOffset>(3));

    private static void Add(NpgsqlCommand command, params object[] values)
    {
        foreach (var value in values)
            command.Parameters.Add(new() { Value = value });
    }
}
