using Npgsql;

namespace EventMail.EventStore;

/// <summary>
/// A transaction that keeps the end of the log from being read: it began to write before that was written, in whichever database of the
/// server (<see cref="SafePosition"/>).
/// </summary>
/// <param name="Pid">Of PostgreSQL's process.</param>
public sealed record OpenTransaction(int Pid, string Database, string Application, DateTimeOffset Since)
{
    // What another role does is hidden from one that may not read all statistics; a prepared transaction has no process.
    private const string Oldest = """
        select pid, coalesce(datname, '')::text, coalesce(application_name, ''), xact_start from pg_stat_activity
        where backend_xid is not null and pid <> pg_backend_pid() and xact_start < clock_timestamp() - $1 order by age(backend_xid) desc limit 1
        """;

    /// <summary>The first that counts, where it has been open for so long; null when there is none that this role may see.</summary>
    public static async Task<OpenTransaction?> OldestAsync(NpgsqlConnection connection, TimeSpan openFor, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(Oldest, connection) { Parameters = { new() { Value = openFor } } };
        await using var row = await command.ExecuteReaderAsync(cancel);
        return await row.ReadAsync(cancel) ? new(row.GetInt32(0), row.GetString(1), row.GetString(2), row.GetFieldValue<DateTimeOffset>(3)) : null;
    }

    public override string ToString() =>
        $"a transaction is open since {Since:yyyy-MM-ddTHH:mm:ssZ} (PostgreSQL's process {Pid}, {(Application.Length > 0 ? Application : "a program without a name")}, "
        + $"in the database {Database}): what was written since cannot be read before it ends; `select pg_terminate_backend({Pid})` ends it";
}
