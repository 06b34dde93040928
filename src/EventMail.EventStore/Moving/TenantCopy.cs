using System.Globalization;
using System.Security.Cryptography;
using EventMail.EventStore.Backup;
using Npgsql;

namespace EventMail.EventStore;

/// <summary>
/// Brings a tenant's rows of the log to another database, as they are, where they wait until all of them are there. What has come, and up to which
/// position of the log it comes from, is one transaction: after a crash it goes on from there.
/// </summary>
public sealed class TenantCopy(EventLog source, EventLog target, string tenant)
{
    /// <summary>Events of one transaction.</summary>
    public const int PageEvents = 20_000;

    private readonly string _tenant = $"'{tenant.Replace("'", "''", StringComparison.Ordinal)}'";

    /// <summary>True for one database, and for two of which one was restored from the other.</summary>
    public async Task<bool> IsSameLogAsync(CancellationToken cancel)
    {
        await using var from = await source.Sessions.OpenConnectionAsync(cancel);
        await using var to = await target.Sessions.OpenConnectionAsync(cancel);
        return await new BackupRows(from).FirstEventAsync(cancel) == await new BackupRows(to).FirstEventAsync(cancel);
    }

    /// <summary>Positions of the source's log: behind the one what comes begins, up to the other the target has it.</summary>
    /// <exception cref="TenantMoveException">What waits there, or was there before, comes from another log.</exception>
    public async Task<(long Since, long Position)> PositionAsync(CancellationToken cancel)
    {
        await using var from = await source.Sessions.OpenConnectionAsync(cancel);
        await using var to = await target.Sessions.OpenConnectionAsync(cancel);
        var origin = await new BackupRows(from).FirstEventAsync(cancel) ?? throw new TenantMoveException("The log is empty.");
        // Each time: what is left of a tenant can still be removed.
        var since = await CommonAsync(from, to, cancel);
        if (await FindAsync(to, origin, cancel) is { } under)
            return under.Since == since ? under : throw new TenantMoveException("What has come to the target begins elsewhere: --cancel, and begin anew.");
        await using var begin = new NpgsqlCommand("insert into eventmail.arrival (tenant_id, origin, since, position) values ($1, $2, $3, $3) on conflict (tenant_id) do nothing", to)
        {
            Parameters = { new() { Value = tenant }, new() { Value = origin }, new() { Value = since } },
        };
        await begin.ExecuteNonQueryAsync(cancel);
        return (since, since);
    }

    private async Task<(long Since, long Position)?> FindAsync(NpgsqlConnection to, Guid origin, CancellationToken cancel)
    {
        await using var read = new NpgsqlCommand("select origin, since, position from eventmail.arrival where tenant_id = $1", to) { Parameters = { new() { Value = tenant } } };
        await using var row = await read.ExecuteReaderAsync(cancel);
        return !await row.ReadAsync(cancel) ? null
            : row.GetGuid(0) == origin ? (row.GetInt64(1), row.GetInt64(2))
            : throw new TenantMoveException("Another database's copy of this account waits in the target: end that move first.");
    }

    // What a target has in which the tenant was before: the first events of the source's, to the last one. 0 where it has nothing.
    private async Task<long> CommonAsync(NpgsqlConnection from, NpgsqlConnection to, CancellationToken cancel)
    {
        await using var count = new NpgsqlCommand("select count(*) from public.mt_events where tenant_id = $1", to) { Parameters = { new() { Value = tenant } } };
        var known = (long)(await count.ExecuteScalarAsync(cancel))!;
        if (known == 0)
            return 0;
        await using var last = new NpgsqlCommand("select seq_id from public.mt_events where tenant_id = $1 order by seq_id offset $2 limit 1", from)
        {
            Parameters = { new() { Value = tenant }, new() { Value = known - 1 } },
        };
        var columns = BackupRows.Names((await BackupRows.OpenAsync(from, cancel)).Events.Where(column => column != "seq_id"));
        string Rows(long end) => string.Create(
            CultureInfo.InvariantCulture, $"select {columns} from public.mt_events where tenant_id = {_tenant} and seq_id <= {end} order by seq_id");
        if (await last.ExecuteScalarAsync(cancel) is long since && await HashAsync(from, Rows(since), cancel) == await HashAsync(to, Rows(long.MaxValue), cancel))
            return since;
        throw new TenantMoveException("The account was in the target before, and its log has gone on there since it left: it cannot go back.");
    }

    /// <summary>The tenant's last event, once nobody appends to it: then it needs no waiting for who could still commit.</summary>
    public async Task<long> EndAsync(CancellationToken cancel)
    {
        await using var command = source.DataSource.CreateCommand("select max(seq_id) from public.mt_events where tenant_id = $1");
        command.Parameters.Add(new() { Value = tenant });
        return (long)(await command.ExecuteScalarAsync(cancel))!;
    }

    /// <summary>How many events it has between two positions.</summary>
    public async Task<long> CountAsync(long after, long to, CancellationToken cancel)
    {
        await using var command = source.DataSource.CreateCommand("select count(*) from public.mt_events where tenant_id = $1 and seq_id > $2 and seq_id <= $3");
        command.Parameters.Add(new() { Value = tenant });
        command.Parameters.Add(new() { Value = after });
        command.Parameters.Add(new() { Value = to });
        return (long)(await command.ExecuteScalarAsync(cancel))!;
    }

    /// <summary>The events behind one position and up to another, which must be safe.</summary>
    public async Task CopyAsync(long after, long to, Action<long> copied, CancellationToken cancel)
    {
        await using var from = await source.Sessions.OpenConnectionAsync(cancel);
        await using var into = await target.Sessions.OpenConnectionAsync(cancel);
        var rows = await BackupRows.OpenAsync(from, cancel);
        while (after < to)
        {
            var end = await PageEndAsync(from, after, to, cancel) ?? to;
            await using var transaction = await into.BeginTransactionAsync(cancel);
            await PipeAsync(from, into, rows.Streams, "arriving_stream", $"""
                select s.{string.Join(", s.", rows.Streams)}, 0::bigint, s.created from public.mt_events e
                join public.mt_streams s on s.tenant_id = e.tenant_id and s.id = e.stream_id
                where e.tenant_id = {_tenant} and e.seq_id > {after} and e.seq_id <= {end} and e.version = 1
                """, ["version", "timestamp"], cancel);
            await PipeAsync(from, into, rows.Events, "arriving_event", EventsOf(rows, "public.mt_events", after, end), [], cancel);
            await using (var moved = new NpgsqlCommand("update eventmail.arrival set position = $2 where tenant_id = $1", into, transaction)
            {
                Parameters = { new() { Value = tenant }, new() { Value = end } },
            })
                await moved.ExecuteNonQueryAsync(cancel);
            await transaction.CommitAsync(cancel);
            after = end;
            copied(after);
        }
    }

    /// <summary>What has come between two positions is, octet by octet, what is in the source.</summary>
    /// <exception cref="TenantMoveException">It is not.</exception>
    public async Task VerifyAsync(long after, long to, CancellationToken cancel)
    {
        await using var from = await source.Sessions.OpenConnectionAsync(cancel);
        await using var into = await target.Sessions.OpenConnectionAsync(cancel);
        var rows = await BackupRows.OpenAsync(from, cancel);
        var here = HashAsync(from, EventsOf(rows, "public.mt_events", after, to), cancel);
        var there = HashAsync(into, EventsOf(rows, "eventmail.arriving_event", after, to), cancel);
        if (await here != await there)
            throw new TenantMoveException("What has come to the target is not what the source has: --cancel, and begin anew.");
    }

    /// <summary>Takes away what has come, contents aside.</summary>
    public async Task ForgetAsync(CancellationToken cancel)
    {
        await using var batch = target.DataSource.CreateBatch();
        foreach (var table in (string[])["arriving_event", "arriving_stream", "arrival"])
            batch.BatchCommands.Add(new($"delete from eventmail.{table} where tenant_id = $1") { Parameters = { new() { Value = tenant } } });
        await batch.ExecuteNonQueryAsync(cancel);
    }

    private string EventsOf(BackupRows rows, string table, long after, long to) => string.Create(CultureInfo.InvariantCulture,
        $"select {BackupRows.Names(rows.Events)} from {table} where tenant_id = {_tenant} and seq_id > {after} and seq_id <= {to} order by seq_id");

    private async Task<long?> PageEndAsync(NpgsqlConnection connection, long after, long to, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(
            "select max(seq_id) from (select seq_id from public.mt_events where tenant_id = $1 and seq_id > $2 and seq_id <= $3 order by seq_id limit $4) page", connection)
        {
            Parameters = { new() { Value = tenant }, new() { Value = after }, new() { Value = to }, new() { Value = (long)PageEvents } },
        };
        return await command.ExecuteScalarAsync(cancel) as long?;
    }

    private static async Task PipeAsync(
        NpgsqlConnection from, NpgsqlConnection into, string[] columns, string table, string query, string[] more, CancellationToken cancel)
    {
        await using var output = await into.BeginRawBinaryCopyAsync($"copy eventmail.{table} ({BackupRows.Names([.. columns, .. more])}) from stdin (format binary)", cancel);
        await using var input = await from.BeginRawBinaryCopyAsync(string.Create(CultureInfo.InvariantCulture, $"copy ({query}) to stdout (format binary)"), cancel);
        await input.CopyToAsync(output, cancel);
    }

    private static async Task<string> HashAsync(NpgsqlConnection connection, string query, CancellationToken cancel)
    {
        await using var input = await connection.BeginRawBinaryCopyAsync($"copy ({query}) to stdout (format binary)", cancel);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(input, cancel));
    }
}

/// <summary>A tenant cannot be moved, or not so.</summary>
public sealed class TenantMoveException(string message) : Exception(message);
