using EventMail.Domain;
using EventMail.Domain.Accounts;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using Npgsql;

namespace EventMail.Projections.Accounts;

/// <summary>Who has which address here. Answers from memory, loads on demand, moved by the commit feed. Thread-safe.</summary>
public sealed class Directory : IDisposable
{
    /// <summary>Characters; longer ones are nobody's, and are not to fill the memory of names.</summary>
    private const int MaxRecipient = 512;

    private readonly CommandExecutor _executor;
    private readonly NpgsqlDataSource _source;
    private readonly StreamKind _mailboxKind;
    private readonly DirectoryOptions _options;
    private readonly NameTable _names;
    private readonly BoundedCache<string, AccountUsage> _usage;
    private readonly IDisposable _subscription;
    private int _recoverable;

    private Directory(CommandExecutor executor, NpgsqlDataSource source, StreamKind mailboxKind, DirectoryOptions options)
    {
        (_executor, _source, _mailboxKind, _options) = (executor, source, mailboxKind, options);
        _names = new(source, options);
        _usage = new(options.Cached, StringComparer.Ordinal);
        _subscription = executor.Feed.Subscribe(Follow);
    }

    /// <param name="mailboxKind">The kind of stream whose bytes count against quotas.</param>
    public static async Task<Directory> OpenAsync(
        EventLog log, StreamKind mailboxKind, DirectoryOptions options, CancellationToken cancel)
    {
        var directory = new Directory(log.Executor, log.DataSource, mailboxKind, options);
        // Commits after this line are followed, those before are read: one that is both only makes the offer too generous.
        await using var command = log.DataSource.CreateCommand("select count(*)::int from projections_v1.account where recoverable");
        Interlocked.Add(ref directory._recoverable, (int)(await command.ExecuteScalarAsync(cancel).ConfigureAwait(false))!);
        return directory;
    }

    /// <summary>True while some account has opted in to CRAM-MD5 and APOP: only then they are offered.</summary>
    public bool AnyRecoverableSecret => Volatile.Read(ref _recoverable) > 0;

    /// <param name="localPart">As in RCPT TO, quotes removed.</param>
    /// <param name="domain">As in RCPT TO; empty for a bare postmaster.</param>
    /// <param name="size">The message's size in bytes as far as it is known (SIZE=), else 0.</param>
    public async ValueTask<RecipientAnswer> ResolveAsync(string localPart, string domain, long size, CancellationToken cancel)
    {
        var name = MailAddress.CanonicalLocalPart(localPart);
        var recipient = domain.Length > 0 ? $"{localPart}@{domain}" : localPart;
        if (recipient.Length > MaxRecipient)
            return Refused(RecipientStatus.Unknown);
        if (domain.Length == 0)
            // RFC 5321 §4.5.1: "RCPT TO:<Postmaster>" without a domain.
            return name == "postmaster" ? await LastResortAsync(recipient, cancel).ConfigureAwait(false) : Refused(RecipientStatus.Unknown);
        if (!MailAddress.TryCanonicalDomain(domain, out var canonical)
            || await _names.FindAsync($"@{canonical}", cancel).ConfigureAwait(false) is not NameMeaning.Domain)
            return Refused(RecipientStatus.NotLocalDomain);

        var meaning = await AddressAsync(name, canonical, cancel).ConfigureAwait(false);
        return meaning switch
        {
            NameMeaning.Account account => await ToAsync([account.Id], recipient, size, cancel).ConfigureAwait(false),
            NameMeaning.Alias alias =>
                await ToAsync(await ExpandAsync(alias, cancel).ConfigureAwait(false), recipient, size, cancel).ConfigureAwait(false),
            _ when WithoutDetail(name) == "postmaster" => await LastResortAsync(recipient, cancel).ConfigureAwait(false),
            _ => Refused(RecipientStatus.Unknown),
        };
    }

    public async ValueTask<bool> IsLocalDomainAsync(string domain, CancellationToken cancel) =>
        MailAddress.TryCanonicalDomain(domain, out var canonical)
        && await _names.FindAsync($"@{canonical}", cancel).ConfigureAwait(false) is NameMeaning.Domain;

    /// <summary>By address, or by an alias that leads to one account.</summary>
    public async ValueTask<AccountEntry?> FindAsync(string addressOrAlias, CancellationToken cancel) =>
        await _names.FindAsync(LoginNames.Canonical(addressOrAlias), cancel).ConfigureAwait(false) switch
        {
            NameMeaning.Account account => await GetAsync(account.Id, cancel).ConfigureAwait(false),
            NameMeaning.Alias alias when await ExpandAsync(alias, cancel).ConfigureAwait(false) is [var only] =>
                await GetAsync(only, cancel).ConfigureAwait(false),
            _ => null,
        };

    /// <summary>By account id.</summary>
    public async ValueTask<AccountEntry?> GetAsync(string account, CancellationToken cancel) =>
        await StateAsync(account, cancel).ConfigureAwait(false) is { Exists: true } state ? EntryOf(state) : null;

    /// <summary>The bytes of all the account's mailboxes, and its limit.</summary>
    public async ValueTask<QuotaUsage> UsageAsync(string account, CancellationToken cancel)
    {
        var state = await StateAsync(account, cancel).ConfigureAwait(false);
        return new(await UsedAsync(account, cancel).ConfigureAwait(false), state.QuotaLimit);
    }

    /// <summary>
    /// From memory: whether an account may keep this many more bytes; null when it may. An account that was neither logged in to nor
    /// resolved since the start is not in memory, and may.
    /// </summary>
    public Rejection? MayKeep(string account, long additionalBytes) =>
        _usage.TryGet(account, out var usage) && usage.Used is { } used
        && _executor.TryGetState(AccountStreamKinds.AccountStream(account).Key, out var loaded)
        && (Int128)used + additionalBytes > ((AccountState)loaded.State).QuotaLimit
            ? Rejection.OverQuota
            : null;

    public void Dispose() => _subscription.Dispose();

    /// <summary>An account by what a client gives as user name: its address, or the bare local part where it is unique.</summary>
    internal async ValueTask<AccountState?> LoginAsync(string user, CancellationToken cancel)
    {
        if (user.Length is 0 or > AccountLimits.Address || user[0] == '@' || user.AsSpan().ContainsAnyInRange('\0', '\x1F'))
            return null;
        return await _names.FindAsync(LoginNames.Canonical(user), cancel).ConfigureAwait(false) is NameMeaning.Account account
            && await StateAsync(account.Id, cancel).ConfigureAwait(false) is { Exists: true } state
                ? state
                : null;
    }

    internal async ValueTask<AccountState> StateAsync(string account, CancellationToken cancel) =>
        (AccountState)(await _executor.StateAsync(AccountStreamKinds.AccountStream(account), cancel).ConfigureAwait(false)).State;

    /// <summary>What is in memory of it; null when its mailboxes have not been looked at yet.</summary>
    internal long? UsedNow(string account) => _usage.TryGet(account, out var usage) ? usage.Used : null;

    /// <param name="name">A canonical address.</param>
    internal ValueTask<NameMeaning> MeaningAsync(string name, CancellationToken cancel) => _names.FindAsync(name, cancel);

    /// <summary>An alias's target in canonical form, or null when mail to it would reach nobody here.</summary>
    internal async ValueTask<string?> TargetAsync(string address, CancellationToken cancel)
    {
        var canonical = LoginNames.Canonical(address);
        var at = canonical.LastIndexOf('@');
        return at > 0 && canonical.Length <= MaxRecipient
            && await AddressAsync(canonical[..at], canonical[(at + 1)..], cancel).ConfigureAwait(false)
                is NameMeaning.Account or NameMeaning.Alias
                ? canonical
                : null;
    }

    /// <summary>Mail to the one address passes the other on its way.</summary>
    internal async ValueTask<bool> LeadsToAsync(string from, string to, CancellationToken cancel)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var open = new Stack<string>([from]);
        while (open.TryPop(out var address))
        {
            if (address == to)
                return true;
            var at = address.LastIndexOf('@');
            if (!seen.Add(address)
                || await AddressAsync(address[..at], address[(at + 1)..], cancel).ConfigureAwait(false) is not NameMeaning.Alias alias)
                continue;
            foreach (var target in alias.Targets)
                open.Push(target);
        }
        return false;
    }

    internal static AccountEntry EntryOf(AccountState state) => new(
        state.Account, state.Address, state.Status == AccountStatus.Suspended, state.QuotaLimit, state.Administrator,
        state.Recoverable is not null, state.Opened);

    // The address itself first, so that an alias may have a separator in its name; then without its detail (RFC 5233).
    private async ValueTask<NameMeaning> AddressAsync(string name, string domain, CancellationToken cancel)
    {
        var meaning = await _names.FindAsync($"{name}@{domain}", cancel).ConfigureAwait(false);
        if (meaning is not NameMeaning.Nothing || WithoutDetail(name) is not { Length: > 0 } plain || plain.Length == name.Length)
            return meaning;
        return await _names.FindAsync($"{plain}@{domain}", cancel).ConfigureAwait(false);
    }

    private string WithoutDetail(string name)
    {
        var separator = name.IndexOf(_options.Subaddress);
        return separator < 0 ? name : name[..separator];
    }

    /// <summary>The accounts behind an alias. Loops are refused when aliases are made, and bounded here all the same.</summary>
    internal async ValueTask<List<string>> ExpandAsync(NameMeaning.Alias alias, CancellationToken cancel)
    {
        var accounts = new List<string>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var wave = alias.Targets;
        for (var depth = 0; wave.Length > 0 && depth <= AccountLimits.AliasDepth; depth++)
        {
            var next = new List<string>();
            foreach (var target in wave)
            {
                if (!seen.Add(target))
                    continue;
                var at = target.LastIndexOf('@');
                switch (await AddressAsync(target[..at], target[(at + 1)..], cancel).ConfigureAwait(false))
                {
                    case NameMeaning.Account account when !accounts.Contains(account.Id):
                        accounts.Add(account.Id);
                        break;
                    case NameMeaning.Alias further:
                        next.AddRange(further.Targets);
                        break;
                }
            }
            wave = [.. next];
        }
        return accounts;
    }

    // Whoever of them can take it gets it; only when nobody can, the sender is told why the first one cannot.
    private async ValueTask<RecipientAnswer> ToAsync(List<string> accounts, string recipient, long size, CancellationToken cancel)
    {
        var refusal = RecipientStatus.Unknown;
        var recipients = new List<LocalRecipient>(accounts.Count);
        foreach (var account in accounts)
        {
            var state = await StateAsync(account, cancel).ConfigureAwait(false);
            var status = !state.Exists ? RecipientStatus.Unknown
                : state.Status == AccountStatus.Suspended ? RecipientStatus.Suspended
                : await FitsAsync(state, size, cancel).ConfigureAwait(false) ? RecipientStatus.Local
                : RecipientStatus.OverQuota;
            if (status == RecipientStatus.Local)
                recipients.Add(new(account, state.Address, recipient));
            else if (refusal == RecipientStatus.Unknown)
                refusal = status;
        }
        return recipients.Count > 0 ? new(RecipientStatus.Local, recipients) : Refused(refusal);
    }

    // RFC 5321 §4.5.1: postmaster's mail is taken whatever the state of the account that it falls to.
    private async ValueTask<RecipientAnswer> LastResortAsync(string recipient, CancellationToken cancel)
    {
        if (await _names.FindAsync(NameTable.Postmaster, cancel).ConfigureAwait(false) is not NameMeaning.Account account)
            return Refused(RecipientStatus.Unknown);
        var state = await StateAsync(account.Id, cancel).ConfigureAwait(false);
        return new(RecipientStatus.Local, [new(account.Id, state.Address, recipient)]);
    }

    // A message of unknown size has at least one byte: a full account is full.
    private async ValueTask<bool> FitsAsync(AccountState state, long size, CancellationToken cancel) =>
        (Int128)await UsedAsync(state.Account, cancel).ConfigureAwait(false) + Math.Max(size, 1) <= state.QuotaLimit;

    private static RecipientAnswer Refused(RecipientStatus status) => new(status, []);

    // Other nodes' commits are heard only for mailboxes that are in this node's memory: with other nodes about it is read again.
    private ValueTask<long> UsedAsync(string account, CancellationToken cancel) =>
        _usage.TryGet(account, out var usage) && usage.Used is { } used
        && (!_executor.OthersPresent || Environment.TickCount64 - usage.LoadedAt < _options.UsageAge.TotalMilliseconds)
            ? new(used)
            : new(LoadUsageAsync(account, cancel));

    // Commits that arrive meanwhile are noted, too: each mailbox counts at its highest version.
    private async Task<long> LoadUsageAsync(string account, CancellationToken cancel)
    {
        var usage = _usage.GetOrAdd(account, _ => new());
        foreach (var id in await MailboxesAsync(account, cancel).ConfigureAwait(false))
        {
            var key = new StreamKey(account, id);
            var (state, version) = await _executor.StateAsync(new(_mailboxKind, key), cancel).ConfigureAwait(false);
            usage.Note(id, version, BytesOf(state));
        }
        usage.Loaded();
        return usage.Used ?? 0;
    }

    private async Task<List<Guid>> MailboxesAsync(string account, CancellationToken cancel)
    {
        await using var command = _source.CreateCommand("select id from public.mt_streams where tenant_id = $1 and type = $2");
        command.Parameters.Add(new() { Value = account });
        command.Parameters.Add(new() { Value = _mailboxKind.Name });
        var ids = new List<Guid>();
        await using var rows = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
        while (await rows.ReadAsync(cancel).ConfigureAwait(false))
            ids.Add(rows.GetGuid(0));
        return ids;
    }

    private static long BytesOf(object state) => state is MailboxState { Deleted: false } mailbox ? mailbox.Bytes : 0;

    private void Follow(CommitBatch batch)
    {
        foreach (var change in batch.Changes)
        {
            switch (change.Before, change.After)
            {
                case (MailboxState, MailboxState after):
                    if (_usage.TryGet(change.Key.Tenant, out var usage))
                        usage.Note(change.Key.Id, change.ToVersion, BytesOf(after));
                    break;
                case (AccountState before, AccountState after):
                    Follow(before, after);
                    break;
                case (AliasState before, AliasState after):
                    _names.Forget(after.Address.Length > 0 ? after.Address : before.Address);
                    break;
                case (DomainState before, DomainState after):
                    _names.Forget($"@{(after.Name.Length > 0 ? after.Name : before.Name)}");
                    break;
            }
        }
    }

    private void Follow(AccountState before, AccountState after)
    {
        if (before.Exists != after.Exists || before.Status != after.Status)
        {
            var address = after.Address;
            _names.Forget(address, address[..Math.Max(0, address.LastIndexOf('@'))], NameTable.Postmaster);
        }
        Interlocked.Add(ref _recoverable, (after.Recoverable is null ? 0 : 1) - (before.Recoverable is null ? 0 : 1));
        if (!after.Exists)
            _usage.Remove(after.Account);
    }
}
