using System.Collections.Immutable;
using EventMail.Domain.Accounts;
using EventMail.EventStore;
using EventMail.Projections.Accounts;

namespace EventMail.Projections.Reading;

/// <summary>Which accounts are under read auditing: a set in memory, moved by the commits of all nodes. Thread-safe.</summary>
internal sealed class AuditedAccounts : IDisposable
{
    private readonly Lock _lock = new();
    private readonly IDisposable _subscription;

    // What commits said while the table was read is newer than the table.
    private Dictionary<string, bool>? _meanwhile = [];

    // Null: nobody is, as in most installations.
    private volatile ImmutableHashSet<string>? _accounts;

    private AuditedAccounts(EventLog log) => _subscription = log.Executor.Feed.Subscribe(OnCommit);

    public static async Task<AuditedAccounts> OpenAsync(EventLog log, CancellationToken cancel)
    {
        var audited = new AuditedAccounts(log);
        try
        {
            var accounts = ImmutableHashSet.CreateBuilder<string>(StringComparer.Ordinal);
            await using var command = log.DataSource.CreateCommand("select account from account where audit_reads");
            await using var row = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
            while (await row.ReadAsync(cancel).ConfigureAwait(false))
                accounts.Add(row.GetString(0));
            audited.Begin(accounts);
            return audited;
        }
        catch
        {
            audited.Dispose();
            throw;
        }
    }

    public bool HasAny => _accounts is not null;

    public bool Contains(string account) => _accounts?.Contains(account) == true;

    private void Begin(ImmutableHashSet<string>.Builder accounts)
    {
        lock (_lock)
        {
            foreach (var (account, isOn) in _meanwhile!)
                _ = isOn ? accounts.Add(account) : accounts.Remove(account);
            _meanwhile = null;
            _accounts = accounts.Count > 0 ? accounts.ToImmutable() : null;
        }
    }

    private void OnCommit(CommitBatch batch)
    {
        foreach (var change in batch.Changes)
        {
            if (ReferenceEquals(change.Kind, AccountStreamKinds.Account) && change.After is AccountState after)
                Set(after.Account, after is { Exists: true, AuditReads: true });
        }
    }

    private void Set(string account, bool isOn)
    {
        lock (_lock)
        {
            if (_meanwhile is not null)
            {
                _meanwhile[account] = isOn;
                return;
            }
            if (isOn == Contains(account))
                return;
            var none = ImmutableHashSet.Create<string>(StringComparer.Ordinal);
            var accounts = isOn ? (_accounts ?? none).Add(account) : (_accounts ?? none).Remove(account);
            _accounts = accounts.IsEmpty ? null : accounts;
        }
    }

    public void Dispose() => _subscription.Dispose();
}
