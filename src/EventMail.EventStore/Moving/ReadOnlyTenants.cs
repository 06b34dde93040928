using System.Collections.Frozen;
using Npgsql;

namespace EventMail.EventStore;

/// <summary>
/// Tenants whose streams nobody may append to, on any node. Committers read them when they connect and look at nothing else: whoever changes them
/// ends the committers' connections, so that no transaction that did not know of it can still be committed.
/// </summary>
public sealed class ReadOnlyTenants
{
    internal static readonly ReadOnlyTenants None = new([]);

    private static readonly TimeSpan EndWait = TimeSpan.FromMilliseconds(5);

    private readonly FrozenDictionary<string, (string Text, bool Moved)> _reasons;

    private ReadOnlyTenants(Dictionary<string, (string Text, bool Moved)> reasons) => _reasons = reasons.ToFrozenDictionary(StringComparer.Ordinal);

    internal static async Task<ReadOnlyTenants> ReadAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand("select tenant_id, reason, moved_to is not null from eventmail.read_only_tenant", connection);
        var reasons = new Dictionary<string, (string Text, bool Moved)>(StringComparer.Ordinal);
        await using var row = await command.ExecuteReaderAsync(cancel);
        while (await row.ReadAsync(cancel))
            reasons[row.GetString(0)] = (row.GetString(1), row.GetBoolean(2));
        return reasons.Count > 0 ? new(reasons) : None;
    }

    /// <summary>A command of it may have to be refused.</summary>
    internal bool Concern(Batch batch) => _reasons.Count > 0 && batch.Commands.Any(command => ReasonFor(command) is not null);

    /// <summary>Fails the commands that name a stream of such a tenant.</summary>
    internal void Refuse(Batch batch)
    {
        foreach (var command in batch.Commands)
        {
            if (ReasonFor(command) is { } found)
                batch.Failed.Add((command, new TenantReadOnlyException(found.Tenant, found.Reason)));
        }
    }

    private (string Tenant, string Reason)? ReasonFor(PendingCommand command)
    {
        if (!command.Command.EvenReadOnly)
        {
            foreach (var stream in command.Command.Streams)
            {
                if (_reasons.TryGetValue(stream.Key.Tenant, out var reason) && !(reason.Moved && command.Command.EvenMoved))
                    return (stream.Key.Tenant, reason.Text);
            }
        }
        return null;
    }

    /// <summary>When it ends, nothing is appended to the tenant any more.</summary>
    /// <param name="movedTo">Where it has gone for good; null while it may stay.</param>
    public static async Task AddAsync(EventLog log, string tenant, string reason, string? movedTo, CancellationToken cancel)
    {
        await using var connection = await log.Sessions.OpenConnectionAsync(cancel);
        await using (var insert = new NpgsqlCommand(
            """
            insert into eventmail.read_only_tenant (tenant_id, reason, moved_to) values ($1, $2, $3)
            on conflict (tenant_id) do update set reason = excluded.reason, moved_to = excluded.moved_to
            """, connection))
        {
            insert.Parameters.AddWithValue(tenant);
            insert.Parameters.AddWithValue(reason);
            insert.Parameters.Add(new() { Value = (object?)movedTo ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text });
            await insert.ExecuteNonQueryAsync(cancel);
        }
        await EndCommittersAsync(connection, cancel);
    }

    public static async Task RemoveAsync(EventLog log, string tenant, CancellationToken cancel)
    {
        // A committer looks again before it refuses.
        await using var delete = log.DataSource.CreateCommand("delete from eventmail.read_only_tenant where tenant_id = $1");
        delete.Parameters.AddWithValue(tenant);
        await delete.ExecuteNonQueryAsync(cancel);
    }

    // One that connects from here on reads the table as it is now.
    private static async Task EndCommittersAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var end = new NpgsqlCommand(
            "select coalesce(array_agg(pid) filter (where pg_terminate_backend(pid)), '{}') from pg_stat_activity where datname = current_database() and starts_with(application_name, $1)",
            connection)
        {
            Parameters = { new() { Value = CommitterConnection.NamePrefix } },
        };
        var ended = (int[])(await end.ExecuteScalarAsync(cancel))!;
        await using var left = new NpgsqlCommand("select count(*) from pg_stat_activity where pid = any($1) and starts_with(application_name, $2)", connection)
        {
            Parameters = { new() { Value = ended }, new() { Value = CommitterConnection.NamePrefix } },
        };
        while ((long)(await left.ExecuteScalarAsync(cancel))! > 0)
            await Task.Delay(EndWait, cancel);
    }
}
