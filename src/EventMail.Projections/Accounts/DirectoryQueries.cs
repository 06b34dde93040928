using System.Runtime.CompilerServices;
using Npgsql;

namespace EventMail.Projections.Accounts;

/// <param name="LastLogin">Null when nobody ever logged in.</param>
/// <param name="ReadOnly">Why nothing can be written to it: it is being moved to another server, or has moved there. Null: it can.</param>
/// <param name="MovedTo">The server that it has moved to for good.</param>
public sealed record AccountListing(
    string Account, string Address, bool Suspended, bool Administrator, long QuotaLimit, long? MessageLimit, bool RecoverableSecret,
    DateTimeOffset Opened, DateTimeOffset? LastLogin, string? LastProtocol, string? LastClient, bool AuditReads, string? ReadOnly, string? MovedTo);

/// <param name="Addresses">Of accounts and aliases.</param>
public sealed record DomainListing(string Name, long Addresses);

public sealed record AliasListing(string Address, IReadOnlyList<string> Targets);

/// <summary>A part of a list.</summary>
/// <param name="After">The name of the entry before it; null: from the beginning.</param>
/// <param name="Limit">Entries at most; null: all.</param>
public readonly record struct ListPage(string? After, int? Limit)
{
    internal NpgsqlParameter[] Parameters =>
    [
        new() { Value = (object?)After ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Varchar },
        new() { Value = (object?)Limit ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Integer },
    ];
}

/// <summary>Lists for operators, read from the tables. Thread-safe.</summary>
public sealed class DirectoryQueries(NpgsqlDataSource source)
{
    private const string Accounts = """
        select a.account, a.address, a.suspended, a.administrator, a.quota_limit, a.message_limit, a.recoverable, a.opened, l.at, l.protocol, l.client, a.audit_reads, r.reason, r.moved_to
        from account a left join last_login l on l.account = a.account left join eventmail.read_only_tenant r on r.tenant_id = a.account
        """;

    /// <summary>By domain, then name.</summary>
    public async IAsyncEnumerable<AccountListing> AccountsAsync([EnumeratorCancellation] CancellationToken cancel, ListPage page = default)
    {
        await using var command = source.CreateCommand($"""
            {Accounts}
            where $1 is null or (split_part(a.address, '@', 2), split_part(a.address, '@', 1)) > (split_part($1, '@', 2), split_part($1, '@', 1))
            order by split_part(a.address, '@', 2), split_part(a.address, '@', 1) limit $2
            """);
        command.Parameters.AddRange(page.Parameters);
        await using var row = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
        while (await row.ReadAsync(cancel).ConfigureAwait(false))
            yield return AccountOf(row);
    }

    /// <param name="account">The id.</param>
    public async Task<AccountListing?> AccountAsync(string account, CancellationToken cancel)
    {
        await using var command = source.CreateCommand($"{Accounts} where a.account = $1");
        command.Parameters.Add(new() { Value = account });
        await using var row = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
        return await row.ReadAsync(cancel).ConfigureAwait(false) ? AccountOf(row) : null;
    }

    public async IAsyncEnumerable<DomainListing> DomainsAsync([EnumeratorCancellation] CancellationToken cancel, ListPage page = default)
    {
        await using var command = source.CreateCommand("""
            select d.name, count(a.address) from mail_domain d
            left join address a on a.domain = d.name where $1 is null or d.name > $1 group by d.name order by d.name limit $2
            """);
        command.Parameters.AddRange(page.Parameters);
        await using var row = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
        while (await row.ReadAsync(cancel).ConfigureAwait(false))
            yield return new(row.GetString(0), row.GetInt64(1));
    }

    /// <param name="name">Canonical.</param>
    public async Task<DomainListing?> DomainAsync(string name, CancellationToken cancel)
    {
        await using var command = source.CreateCommand("select (select count(*) from address a where a.domain = d.name) from mail_domain d where d.name = $1");
        command.Parameters.Add(new() { Value = name });
        return await command.ExecuteScalarAsync(cancel).ConfigureAwait(false) is long addresses ? new(name, addresses) : null;
    }

    /// <param name="address">Canonical.</param>
    public async Task<AliasListing?> AliasAsync(string address, CancellationToken cancel)
    {
        await using var command = source.CreateCommand("select targets from address where address = $1 and targets is not null");
        command.Parameters.Add(new() { Value = address });
        return await command.ExecuteScalarAsync(cancel).ConfigureAwait(false) is string[] targets ? new(address, targets) : null;
    }

    /// <summary>By domain, then name.</summary>
    public async IAsyncEnumerable<AliasListing> AliasesAsync([EnumeratorCancellation] CancellationToken cancel, ListPage page = default)
    {
        await using var command = source.CreateCommand("""
            select address, targets from address
            where targets is not null and ($1 is null or (domain, local_part) > (split_part($1, '@', 2), split_part($1, '@', 1)))
            order by domain, local_part limit $2
            """);
        command.Parameters.AddRange(page.Parameters);
        await using var row = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
        while (await row.ReadAsync(cancel).ConfigureAwait(false))
            yield return new(row.GetString(0), row.GetFieldValue<string[]>(1));
    }

    private static AccountListing AccountOf(NpgsqlDataReader row) => new(
        row.GetString(0), row.GetString(1), row.GetBoolean(2), row.GetBoolean(3), row.GetInt64(4),
        row.IsDBNull(5) ? null : row.GetInt64(5), row.GetBoolean(6), row.GetFieldValue<DateTimeOffset>(7),
        row.IsDBNull(8) ? null : row.GetFieldValue<DateTimeOffset>(8), row.IsDBNull(9) ? null : row.GetString(9),
        row.IsDBNull(10) ? null : row.GetString(10), row.GetBoolean(11), row.IsDBNull(12) ? null : row.GetString(12), row.IsDBNull(13) ? null : row.GetString(13));
}
