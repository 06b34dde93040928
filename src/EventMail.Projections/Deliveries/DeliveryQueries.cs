using System.Runtime.CompilerServices;
using EventMail.EventStore;
using Npgsql;
using NpgsqlTypes;

namespace EventMail.Projections.Deliveries;

/// <summary>Which rows of the queue are meant; what is null does not restrict.</summary>
/// <param name="Domain">Canonical.</param>
/// <param name="Sender">The reverse-path; empty for the null sender.</param>
public sealed record QueueFilter(Guid? Delivery = null, string? Domain = null, string? Sender = null, bool? Held = null);

/// <summary>A row of the queue.</summary>
/// <param name="Due">The next attempt is not before; of a held one, when it would have been.</param>
/// <param name="Claimed">A host has it in its hands.</param>
/// <param name="Suspended">Its account is, and nothing of it goes out until it is resumed.</param>
/// <param name="Reason">What the last attempt met with; null before it.</param>
public sealed record QueueEntry(
    StreamKey Delivery, string Domain, string Sender, int Recipients, long Size, DateTimeOffset Submitted, int Attempts, DateTimeOffset Due,
    bool Held, bool Suspended, bool Claimed, string? Reason);

/// <param name="Deliveries">Messages, each with a row for every domain.</param>
/// <param name="Due">Rows whose time has come, claimed ones among them.</param>
public readonly record struct QueueCounts(long Rows, long Deliveries, long Recipients, long Held, long Due);

/// <summary>The queue as operators ask for it.</summary>
public sealed class DeliveryQueries(NpgsqlDataSource source)
{
    private const int Page = 1000;

    // What was waiting when its account moved to another server waits there.
    private const string IsHere = "not exists (select from eventmail.read_only_tenant r where r.tenant_id = delivery_queue.tenant_id and r.moved_to is not null)";

    private const string Where = $"""
        where ($1 is null or id = $1) and ($2 is null or domain = $2) and ($3 is null or sender = $3) and ($4 is null or held = $4) and {IsHere}
        """;

    private const string Rows = $"""
        select tenant_id, id, domain, sender, recipients, size, submitted, attempts, due, held,
          exists (select from account a where a.account = tenant_id and a.suspended), owner is not null and lease > now(), reason
        from delivery_queue {Where} and (id, domain) > ($5, $6) order by id, domain limit $7
        """;

    private const string Counts = $"""
        select count(*), count(distinct id), coalesce(sum(recipients), 0)::bigint, count(*) filter (where held),
          count(*) filter (where due <= now() and not held)
        from delivery_queue {Where}
        """;

    /// <summary>In the order of submission. Read by pages: it may change while it is listed, and no row comes twice.</summary>
    /// <param name="after">A delivery and a domain: only what comes behind it.</param>
    public async IAsyncEnumerable<QueueEntry> ListAsync(
        QueueFilter filter, (Guid Delivery, string Domain)? after, [EnumeratorCancellation] CancellationToken cancel)
    {
        var (id, domain) = after ?? (Guid.Empty, "");
        while (true)
        {
            var page = await PageAsync(filter, id, domain, cancel);
            foreach (var entry in page)
                yield return entry;
            if (page.Count < Page)
                yield break;
            (id, domain) = (page[^1].Delivery.Id, page[^1].Domain);
        }
    }

    public async Task<QueueCounts> CountAsync(QueueFilter filter, CancellationToken cancel)
    {
        await using var command = source.CreateCommand(Counts);
        command.Parameters.AddRange(ParametersOf(filter));
        await using var row = await command.ExecuteReaderAsync(cancel);
        await row.ReadAsync(cancel);
        return new(row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4));
    }

    /// <summary>When the oldest message that waits was submitted; null when none waits.</summary>
    public async Task<DateTimeOffset?> OldestAsync(CancellationToken cancel)
    {
        // Ids are in the order of submission, and the queue's key begins with them.
        await using var command = source.CreateCommand($"select submitted from delivery_queue where {IsHere} order by id, domain limit 1");
        return await command.ExecuteScalarAsync(cancel) is DateTime submitted ? new(submitted) : null;
    }

    /// <summary>The stream of a delivery, also of one that is over; null when there is none.</summary>
    public async Task<StreamKey?> FindAsync(Guid delivery, CancellationToken cancel)
    {
        // By the queue's key first: by the id alone the streams' index is read from end to end.
        const string sql = """
            select tenant_id from delivery_queue where id = $1
            union all select tenant_id from public.mt_streams where id = $1 and type = 'delivery' limit 1
            """;
        await using var command = source.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = delivery });
        return await command.ExecuteScalarAsync(cancel) is string tenant ? new(tenant, delivery) : null;
    }

    private async Task<List<QueueEntry>> PageAsync(QueueFilter filter, Guid id, string domain, CancellationToken cancel)
    {
        await using var command = source.CreateCommand(Rows);
        command.Parameters.AddRange(ParametersOf(filter));
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        command.Parameters.Add(new() { Value = domain, NpgsqlDbType = NpgsqlDbType.Varchar });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = Page });
        var page = new List<QueueEntry>();
        await using var row = await command.ExecuteReaderAsync(cancel);
        while (await row.ReadAsync(cancel))
            page.Add(new(
                new(row.GetString(0), row.GetGuid(1)), row.GetString(2), row.GetString(3), row.GetInt32(4), row.GetInt64(5),
                row.GetFieldValue<DateTimeOffset>(6), row.GetInt32(7), row.GetFieldValue<DateTimeOffset>(8), row.GetBoolean(9),
                row.GetBoolean(10), row.GetBoolean(11), row.IsDBNull(12) ? null : row.GetString(12)));
        return page;
    }

    private static NpgsqlParameter[] ParametersOf(QueueFilter filter) =>
    [
        Of(filter.Delivery, NpgsqlDbType.Uuid), Of(filter.Domain, NpgsqlDbType.Varchar), Of(filter.Sender, NpgsqlDbType.Varchar),
        Of(filter.Held, NpgsqlDbType.Boolean),
    ];

    private static NpgsqlParameter Of(object? value, NpgsqlDbType type) => new() { Value = value ?? DBNull.Value, NpgsqlDbType = type };
}
