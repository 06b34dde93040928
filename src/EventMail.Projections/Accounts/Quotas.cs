using EventMail.Domain.Accounts;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;
using Npgsql;

namespace EventMail.Projections.Accounts;

/// <summary>
/// How much mail each account has and may have. From memory, read from the log on demand, moved by the commit feed; exact for the
/// commits of this node, those of others are known within <see cref="DirectoryOptions.UsageAge"/>. Thread-safe.
/// </summary>
internal sealed class Quotas(CommandExecutor executor, NpgsqlDataSource source, DirectoryOptions options)
{
    private readonly BoundedCache<string, AccountUsage> _usage = new(options.Cached, StringComparer.Ordinal);

    /// <summary>What is in memory of it; null when its mailboxes have not been looked at yet.</summary>
    public MailTotals? UsedNow(string account) => _usage.TryGet(account, out var usage) ? usage.Used : null;

    /// <summary>What is in all the account's mailboxes.</summary>
    public ValueTask<MailTotals> UsedAsync(string account, CancellationToken cancel) =>
        Fresh(account) is { Used: { } used } ? new(used) : new(LoadAsync(account, cancel));

    public static QuotaUsage Of(MailTotals used, AccountState limits) => new(used.Bytes, limits.QuotaLimit, used.Messages, limits.MessageLimit);

    /// <summary>
    /// What a command decides on: the usage with everything that its batch has taken before it. Null when it is not in memory; the
    /// command has been deferred then until it is.
    /// </summary>
    public QuotaUsage? Within(Decision decision, string account)
    {
        var stream = AccountStreamKinds.AccountStream(account);
        if (Fresh(account) is { } usage && executor.TryGetState(stream.Key, out var loaded))
            return Of(usage.With(MailboxesOf(decision, account)), (AccountState)loaded.State);
        decision.Defer(async cancel =>
        {
            await executor.StateAsync(stream, cancel).ConfigureAwait(false);
            await LoadAsync(account, cancel).ConfigureAwait(false);
        });
        return null;
    }

    public void Follow(StreamChange mailbox)
    {
        if (_usage.TryGet(mailbox.Key.Tenant, out var usage))
            usage.Note(mailbox.Key.Id, mailbox.ToVersion, MailOf(mailbox.After));
    }

    public void Forget(string account) => _usage.Remove(account);

    // Other nodes' commits are heard only for mailboxes that are in this node's memory: with other nodes about it is read again.
    private AccountUsage? Fresh(string account) =>
        _usage.TryGet(account, out var usage) && usage.Used is not null
        && (!executor.OthersPresent || Environment.TickCount64 - usage.LoadedAt < options.UsageAge.TotalMilliseconds)
            ? usage
            : null;

    // Commits that arrive meanwhile are noted, too: each mailbox counts at its highest version.
    private async Task<MailTotals> LoadAsync(string account, CancellationToken cancel)
    {
        var usage = _usage.GetOrAdd(account, _ => new());
        foreach (var id in await MailboxesAsync(account, cancel).ConfigureAwait(false))
        {
            var key = new StreamKey(account, id);
            var (state, version) = await executor.StateAsync(MailboxKind.Stream(key), cancel).ConfigureAwait(false);
            usage.Note(id, version, MailOf(state));
        }
        usage.Loaded();
        return usage.Used ?? default;
    }

    private async Task<List<Guid>> MailboxesAsync(string account, CancellationToken cancel)
    {
        await using var command = source.CreateCommand("select id from public.mt_streams where tenant_id = $1 and type = $2");
        command.Parameters.Add(new() { Value = account });
        command.Parameters.Add(new() { Value = MailboxKind.Instance.Name });
        var ids = new List<Guid>();
        await using var rows = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
        while (await rows.ReadAsync(cancel).ConfigureAwait(false))
            ids.Add(rows.GetGuid(0));
        return ids;
    }

    private static IEnumerable<(Guid Mailbox, long Version, MailTotals Mail)> MailboxesOf(Decision decision, string account)
    {
        foreach (var (key, state) in decision.Changed(account))
            if (state.State is MailboxState)
                yield return (key.Id, state.Version, MailOf(state.State));
    }

    private static MailTotals MailOf(object state) =>
        state is MailboxState { Deleted: false } mailbox ? new(mailbox.Bytes, mailbox.Messages) : default;
}
