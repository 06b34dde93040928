using EventMail.Domain.Accounts;
using EventMail.EventStore;
using Npgsql;

namespace EventMail.Projections.Accounts;

/// <summary>Accounts, domains and addresses as rows. The primary key of address keeps an address from being given twice.</summary>
public sealed class DirectoryProjection : IInlineProjection
{
    /// <summary>An address that somebody else took first.</summary>
    internal const string AddressTaken = "address_pkey";

    /// <summary>A domain that is being removed while it gets an address.</summary>
    internal const string DomainOfAddress = "address_domain_fkey";

    public string Name => "directory";

    public IReadOnlyList<string> Tables => ["account", "address", "mail_domain"];

    public Task CreateAsync(NpgsqlConnection connection, CancellationToken cancel) => SqlScript.RunAsync("directory.sql", connection, cancel);

    public bool Reads(object @event) => false;

    public void Fold(CommitBatch batch, NpgsqlBatch sql)
    {
        var rows = new Rows();
        foreach (var change in batch.Changes)
        {
            switch (change.Before, change.After)
            {
                case (AccountState before, AccountState after):
                    rows.Add(before, after);
                    break;
                case (AliasState before, AliasState after):
                    rows.Add(before, after);
                    break;
                case (DomainState before, DomainState after):
                    rows.Add(before, after);
                    break;
            }
        }
        rows.Write(sql);
    }

    private sealed class Rows
    {
        private readonly SortedSet<string> _addressesGone = new(StringComparer.Ordinal);

        // A list: of two that take one address in the same batch the primary key must see both.
        private readonly List<(string Address, string? Account, string[]? Targets)> _addresses = [];
        private readonly SortedSet<string> _domainsGone = new(StringComparer.Ordinal);
        private readonly SortedSet<string> _domains = new(StringComparer.Ordinal);
        private readonly SortedSet<string> _accountsGone = new(StringComparer.Ordinal);
        private readonly SortedDictionary<string, AccountState> _accounts = new(StringComparer.Ordinal);

        // An account that was erased has no address: the log does not say any more what it was.
        public void Add(AccountState before, AccountState after)
        {
            if (before.Exists && !after.Exists)
            {
                _accountsGone.Add(before.Account);
                _addressesGone.Add(before.Address);
            }
            if (!before.Exists && after is { Exists: true, Address.Length: > 0 })
                _addresses.Add((after.Address, after.Account, null));
            if (after.Exists && !SameRow(before, after))
                _accounts[after.Account] = after;
        }

        public void Add(AliasState before, AliasState after)
        {
            if (ReferenceEquals(before.Targets, after.Targets))
                return;
            if (before.Exists)
                _addressesGone.Add(before.Address);
            if (after.Exists)
                _addresses.Add((after.Address, null, after.Targets));
        }

        public void Add(DomainState before, DomainState after)
        {
            if (before.Exists && !after.Exists)
                _domainsGone.Add(before.Name);
            if (!before.Exists && after.Exists)
                _domains.Add(after.Name);
        }

        // What is gone first, so that its address is free; domains before the addresses in them.
        public void Write(NpgsqlBatch sql)
        {
            if (_addressesGone.Count > 0)
                Add(sql, "delete from address where address = any($1)", Texts(_addressesGone));
            if (_accountsGone.Count > 0)
                Add(sql, "delete from account where account = any($1)", Texts(_accountsGone));
            if (_domainsGone.Count > 0)
                Add(sql, "delete from mail_domain where name = any($1)", Texts(_domainsGone));
            if (_domains.Count > 0)
                Add(sql, "insert into mail_domain (name) select * from unnest($1::varchar[])", Texts(_domains));
            if (_accounts.Count > 0)
                AddAccounts(sql);
            // One statement each: an array of arrays of different lengths is no PostgreSQL array, and these are rare.
            foreach (var (address, account, targets) in _addresses.OrderBy(a => a.Address, StringComparer.Ordinal))
            {
                var at = address.LastIndexOf('@');
                Add(sql,
                    "insert into address (address, local_part, domain, account, targets) values ($1, $2, $3, $4, $5)",
                    Text(address), Text(address[..at]), Text(address[(at + 1)..]), Text(account), Texts(targets));
            }
        }

        private void AddAccounts(NpgsqlBatch sql)
        {
            var accounts = _accounts.Values.ToList();
            Add(sql, """
                insert into account (account, address, suspended, administrator, quota_limit, recoverable, opened, message_limit, audit_reads)
                select * from unnest(
                  $1::varchar[], $2::varchar[], $3::boolean[], $4::boolean[], $5::bigint[], $6::boolean[], $7::timestamptz[], $8::bigint[], $9::boolean[])
                on conflict (account) do update set address = excluded.address, suspended = excluded.suspended,
                  administrator = excluded.administrator, quota_limit = excluded.quota_limit, recoverable = excluded.recoverable,
                  message_limit = excluded.message_limit, audit_reads = excluded.audit_reads
                """,
                Texts(accounts.Select(a => a.Account)), Texts(accounts.Select(a => a.Address)),
                Values(accounts, a => a.Status == AccountStatus.Suspended), Values(accounts, a => a.Administrator),
                Values(accounts, a => a.QuotaLimit), Values(accounts, a => a.Recoverable is not null),
                Values(accounts, a => a.Opened.UtcDateTime), Values(accounts, a => a.MessageLimit), Values(accounts, a => a.AuditReads));
        }

        private static bool SameRow(AccountState a, AccountState b) =>
            a.Exists && a.Status == b.Status && a.Address == b.Address && a.Administrator == b.Administrator
            && a.QuotaLimit == b.QuotaLimit && a.MessageLimit == b.MessageLimit && a.Recoverable is null == b.Recoverable is null && a.AuditReads == b.AuditReads;

        private static void Add(NpgsqlBatch sql, string text, params ReadOnlySpan<NpgsqlParameter> parameters)
        {
            var command = new NpgsqlBatchCommand(text);
            foreach (var parameter in parameters)
                command.Parameters.Add(parameter);
            sql.BatchCommands.Add(command);
        }

        private static NpgsqlParameter Text(string? value) => new() { Value = (object?)value ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Varchar };

        private static NpgsqlParameter Texts(IEnumerable<string>? values) => new()
        {
            Value = (object?)values?.ToArray() ?? DBNull.Value,
            NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Array | NpgsqlTypes.NpgsqlDbType.Varchar,
        };

        private static NpgsqlParameter Values<T>(List<AccountState> accounts, Func<AccountState, T> column) =>
            new NpgsqlParameter<T[]> { TypedValue = [.. accounts.Select(column)] };
    }
}
