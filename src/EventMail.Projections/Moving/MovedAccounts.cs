using Npgsql;

namespace EventMail.Projections.Moving;

/// <summary>Accounts of which the log says that they are elsewhere.</summary>
public static class MovedAccounts
{
    private const string Has = "has moved to ";

    internal static string ReasonOf(string there) => Has + there;

    /// <summary>Lets nobody write to them, in a database that was made from the log alone.</summary>
    /// <returns>Their ids, and the servers that they moved to.</returns>
    public static async Task<IReadOnlyList<(string Account, string There)>> HoldAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(
            """
            with last as (
              select distinct on (tenant_id, stream_id) tenant_id, type, data->>'To' as there from public.mt_events
              where type in ('account_moved_out', 'account_moved_in') order by tenant_id, stream_id, version desc)
            insert into eventmail.read_only_tenant (tenant_id, reason, moved_to)
            select tenant_id, $1 || there, there from last where type = 'account_moved_out'
            on conflict (tenant_id) do update set reason = excluded.reason, moved_to = excluded.moved_to
            returning tenant_id, moved_to
            """, connection)
        {
            Parameters = { new() { Value = Has } },
            CommandTimeout = 0,
        };
        var held = new List<(string, string)>();
        await using var row = await command.ExecuteReaderAsync(cancel);
        while (await row.ReadAsync(cancel))
            held.Add((row.GetString(0), row.GetString(1)));
        return held;
    }
}
