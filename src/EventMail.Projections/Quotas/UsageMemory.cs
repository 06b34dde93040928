using EventMail.Domain.Accounts;
using EventMail.EventStore;
using EventMail.Projections.Accounts;
using EventMail.Projections.Mailboxes;
using Npgsql;

namespace EventMail.Projections.Quotas;

/// <summary>
/// How much mail each account has and may have. From memory, read on demand, moved by the commit feed; exact for the commits of this
/// node. With other nodes about, questions are answered from the row that all of them keep, and commands are held to it by a
/// <see cref="QuotaTerm"/>. Thread-safe.
/// </summary>
internal sealed class UsageMemory(CommandExecutor executor, NpgsqlDataSource source, DirectoryOptions options)
{
    // Long enough for a command that was deferred to come back.
    private static readonly TimeSpan RefusalAge = TimeSpan.FromSeconds(1);

    private const string MailboxesOf = """
        select m.id, m.version, s.version, m.deleted, m.bytes, m.messages
        from mailbox m join public.mt_streams s on s.tenant_id = m.tenant_id and s.id = m.id where m.tenant_id = $1
        """;

    private readonly BoundedCache<string, AccountUsage> _usage = new(options.Cached, StringComparer.Ordinal);

    /// <summary>What is in memory of it; null when its mailboxes have not been looked at yet.</summary>
    public MailTotals? UsedNow(string account) => _usage.TryGet(account, out var usage) ? usage.Used : null;

    /// <summary>What is in all the account's mailboxes.</summary>
    public ValueTask<MailTotals> UsedAsync(string account, CancellationToken cancel) =>
        executor.OthersPresent ? new(KeptAsync(account, cancel))
        : UsedNow(account) is { } used ? new(used)
        : new(LoadAsync(account, cancel));

    public static QuotaUsage Of(MailTotals used, AccountState limits) => new(used.Bytes, limits.QuotaLimit, used.Messages, limits.MessageLimit);

    /// <summary>
    /// What a command decides on: the usage with everything that its batch has taken before it. Null when it is not in memory; the
    /// command has been deferred then until it is.
    /// </summary>
    /// <param name="bytes">To be added, as the messages.</param>
    public QuotaUsage? Within(Decision decision, string account, long bytes, long messages)
    {
        var stream = AccountStreamKinds.AccountStream(account);
        if (!decision.TermsFailed && Fresh(account, options.UsageAge) is { } usage && executor.TryGetState(stream.Key, out var loaded))
        {
            var (now, then) = usage.With(Changed(decision, account));
            var answer = Of(then, (AccountState)loaded.State) with { Committed = executor.OthersPresent ? now : null };
            // Room is held to the row at the commit; that there is none is not, and others may have made some.
            if (answer.HasRoomFor(bytes, messages) || Fresh(account, RefusalAge) is not null)
                return answer;
        }
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
            usage.Note(mailbox.Key.Id, mailbox.ToVersion, MailTotals.Of(mailbox.After));
    }

    public void Forget(string account) => _usage.Remove(account);

    /// <summary>The totals as the projection keeps them; accounts that never had a mailbox are left out.</summary>
    public static async Task<Dictionary<string, MailTotals>> KeptAsync(
        NpgsqlDataSource source, IReadOnlyCollection<string> accounts, CancellationToken cancel)
    {
        await using var command = source.CreateCommand(QuotaRows.ByAccounts);
        command.Parameters.Add(new() { Value = accounts.ToArray() });
        var totals = new Dictionary<string, MailTotals>(accounts.Count, StringComparer.Ordinal);
        await using var rows = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
        while (await rows.ReadAsync(cancel).ConfigureAwait(false))
            totals[rows.GetString(0)] = new(rows.GetInt64(1), rows.GetInt64(2));
        return totals;
    }

    private async Task<MailTotals> KeptAsync(string account, CancellationToken cancel) =>
        (await KeptAsync(source, [account], cancel).ConfigureAwait(false)).GetValueOrDefault(account);

    // Other nodes' commits are heard only for mailboxes that are in this node's memory: with other nodes about it is read again.
    private AccountUsage? Fresh(string account, TimeSpan age) =>
        _usage.TryGet(account, out var usage) && usage.Used is not null
        && (!executor.OthersPresent || Environment.TickCount64 - usage.LoadedAt < age.TotalMilliseconds)
            ? usage
            : null;

    // Commits that arrive meanwhile are noted, too: each mailbox counts at its highest version.
    private async Task<MailTotals> LoadAsync(string account, CancellationToken cancel)
    {
        var usage = _usage.GetOrAdd(account, _ => new());
        var behind = new List<Guid>();
        await using (var command = source.CreateCommand(MailboxesOf))
        {
            command.Parameters.Add(new() { Value = account });
            await using var rows = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
            while (await rows.ReadAsync(cancel).ConfigureAwait(false))
            {
                if (rows.GetInt64(1) < rows.GetInt64(2))
                    behind.Add(rows.GetGuid(0));
                else
                    usage.Note(rows.GetGuid(0), rows.GetInt64(1), rows.GetBoolean(3) ? default : new(rows.GetInt64(4), rows.GetInt64(5)));
            }
        }
        // Another application appended: the log decides.
        foreach (var id in behind)
        {
            var (state, version) = await executor.StateAsync(MailboxKind.Stream(new(account, id)), cancel).ConfigureAwait(false);
            usage.Note(id, version, MailTotals.Of(state));
        }
        usage.Loaded();
        return usage.Used ?? default;
    }

    private static IEnumerable<(Guid Mailbox, long Version, MailTotals Mail)> Changed(Decision decision, string account)
    {
        foreach (var (key, state) in decision.Changed(account))
            if (state.State is Domain.Mailboxes.MailboxState)
                yield return (key.Id, state.Version, MailTotals.Of(state.State));
    }
}
