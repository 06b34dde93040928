using Npgsql;

namespace EventMail.EventStore;

/// <summary>
/// A transaction that keeps the end of the log from being read: it began to write before that was written, in whichever database of the
/// server (<see cref="SafePosition"/>).
/// </summary>
/// <param name="Pid">Of PostgreSQL's process; null: the transaction is prepared and has none.</param>
/// <param name="Name">Of the program, or of the prepared transaction.</param>
public sealed record OpenTransaction(int? Pid, string Database, string Name, DateTimeOffset Since)
{
    // What another role does is hidden from one that may not read all statistics.
    private const string Oldest = """
        select pid, database, name, since from (
            select pid, coalesce(datname, '')::text as database, coalesce(application_name, '') as name, xact_start as since, backend_xid as xid from pg_stat_activity
            where backend_xid is not null and pid <> pg_backend_pid()
            union all
            select null, database::text, gid, prepared, transaction from pg_prepared_xacts) as open
        where since < clock_timestamp() - $1 order by age(xid) desc limit 1
        """;

    /// <summary>The first that counts, where it has been open for so long; null when there is none that this role may see.</summary>
    public static async Task<OpenTransaction?> OldestAsync(NpgsqlConnection connection, TimeSpan openFor, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(Oldest, connection) { Parameters = { new() { Value = openFor } } };
        await using var row = await command.ExecuteReaderAsync(cancel);
        return await row.ReadAsync(cancel)
            ? new(await row.IsDBNullAsync(0, cancel) ? null : row.GetInt32(0), row.GetString(1), row.GetString(2), row.GetFieldValue<DateTimeOffset>(3))
            : null;
    }

    public override string ToString() =>
        Pid is { } pid
            ? $"a transaction is open since {Since:yyyy-MM-ddTHH:mm:ssZ} (PostgreSQL's process {pid}, {(Name.Length > 0 ? Name : "a program without a name")}, "
                + $"in the database {Database}): what was written since cannot be read before it ends; `select pg_terminate_backend({pid})` ends it"
            : $"a transaction is prepared since {Since:yyyy-MM-ddTHH:mm:ssZ} (in the database {Database}): what was written since cannot be read before it ends; "
                + $"`rollback prepared '{Name.Replace("'", "''", StringComparison.Ordinal)}'` in that database ends it";
}
