using EventMail.Domain;
using EventMail.Domain.Accounts;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;
using EventMail.Projections.Quotas;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EventMail.Projections.Accounts;

/// <summary>Who has which address here. Answers from memory, loads on demand, moved by the commit feed. Thread-safe.</summary>
public sealed class Directory : IDisposable
{
    /// <summary>Characters; longer ones are nobody's, and are not to fill the memory of names.</summary>
    private const int MaxRecipient = 512;

    private readonly CommandExecutor _executor;
    private readonly DirectoryOptions _options;
    private readonly NameTable _names;
    private readonly UsageMemory _quotas;
    private readonly ILogger _log;
    private readonly IDisposable _subscription;
    private int _recoverable;

    private Directory(CommandExecutor executor, NpgsqlDataSource source, DirectoryOptions options, ILogger log)
    {
        (_executor, _options, _log) = (executor, options, log);
        _names = new(source, options);
        _quotas = new(executor, source, options);
        Logins = new(account => executor.TryGetState(AccountStreamKinds.AccountStream(account).Key, out var loaded) ? (AccountState)loaded.State : null);
        _subscription = executor.Feed.Subscribe(Follow);
    }

    public static async Task<Directory> OpenAsync(
        EventLog log, DirectoryOptions options, ILoggerFactory loggers, CancellationToken cancel)
    {
        var directory = new Directory(log.Executor, log.DataSource, options, loggers.CreateLogger("EventMail.Quota"));
        // Commits after this line are followed, those before are read: one that is both only makes the offer too generous.
        await using var command = log.DataSource.CreateCommand("select count(*)::int from account where recoverable");
        Interlocked.Add(ref directory._recoverable, (int)(await command.ExecuteScalarAsync(cancel).ConfigureAwait(false))!);
        return directory;
    }

    /// <summary>True while some account has opted in to CRAM-MD5 and APOP: only then they are offered.</summary>
    public bool AnyRecoverableSecret => Volatile.Read(ref _recoverable) > 0;

    /// <summary>Tells sessions that go on that their login counts no more.</summary>
    public LoginWatch Logins { get; }

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

    /// <summary>By address, or by an alias that leads to one account. A bare name is none.</summary>
    public async ValueTask<AccountEntry?> FindAsync(string addressOrAlias, CancellationToken cancel) =>
        await AtAsync(addressOrAlias, cancel).ConfigureAwait(false) switch
        {
            NameMeaning.Account account => await GetAsync(account.Id, cancel).ConfigureAwait(false),
            NameMeaning.Alias alias when await ExpandAsync(alias, cancel).ConfigureAwait(false) is [var only] =>
                await GetAsync(only, cancel).ConfigureAwait(false),
            _ => null,
        };

    /// <summary>For access control lists.</summary>
    public AccountNames Names => new(
        async (name, cancel) => (await LoginAsync(name, cancel).ConfigureAwait(false))?.Account,
        async (account, cancel) => (await GetAsync(account, cancel).ConfigureAwait(false))?.Address);

    /// <summary>By account id.</summary>
    public async ValueTask<AccountEntry?> GetAsync(string account, CancellationToken cancel) =>
        await StateAsync(account, cancel).ConfigureAwait(false) is { Exists: true } state ? EntryOf(state) : null;

    /// <summary>What is in all the account's mailboxes, and its limits.</summary>
    public async ValueTask<QuotaUsage> UsageAsync(string account, CancellationToken cancel)
    {
        var state = await StateAsync(account, cancel).ConfigureAwait(false);
        return UsageMemory.Of(await _quotas.UsedAsync(account, cancel).ConfigureAwait(false), state);
    }

    /// <summary>
    /// What a command that adds mail decides on: the account's usage with everything that its batch has taken before it. Null when
    /// the command has been deferred until that is in memory.
    /// </summary>
    /// <param name="bytes">To be added, as the messages.</param>
    public QuotaUsage? UsageWithin(Decision decision, string account, long bytes, long messages) =>
        _quotas.Within(decision, account, bytes, messages);

    public void Dispose() => _subscription.Dispose();

    /// <summary>An account by what a client gives as user name: its address, or the bare local part where it is unique.</summary>
    internal async ValueTask<AccountState?> LoginAsync(string user, CancellationToken cancel)
    {
        if (user.Length is 0 or > AccountLimits.Address || user[0] == '@' || user.AsSpan().ContainsAnyInRange('\0', '\x1F'))
            return null;
        // RFC 4616 §2, RFC 5802 §5.1: a name may be typed in several ways. Addresses are kept as they were given.
        return await NamedAsync(user, cancel).ConfigureAwait(false)
            ?? (SaslPrep.TryPrepare(user, SaslPrepUse.Query, out var prepared) && prepared.Length > 0 && prepared != user
                ? await NamedAsync(prepared, cancel).ConfigureAwait(false)
                : null);
    }

    private async ValueTask<AccountState?> NamedAsync(string user, CancellationToken cancel)
    {
        return await _names.FindAsync(LoginNames.Canonical(user), cancel).ConfigureAwait(false) is NameMeaning.Account account
            && await StateAsync(account.Id, cancel).ConfigureAwait(false) is { Exists: true } state
                ? state
                : null;
    }

    internal async ValueTask<AccountState> StateAsync(string account, CancellationToken cancel) =>
        (AccountState)(await _executor.StateAsync(AccountStreamKinds.AccountStream(account), cancel).ConfigureAwait(false)).State;

    /// <summary>What is in memory of it; null when its mailboxes have not been looked at yet.</summary>
    internal MailTotals? UsedNow(string account) => _quotas.UsedNow(account);

    /// <param name="name">A canonical address.</param>
    internal ValueTask<NameMeaning> MeaningAsync(string name, CancellationToken cancel) => _names.FindAsync(name, cancel);

    /// <summary>
    /// What an address that somebody gave stands for; null for what is no full address. Nothing at all, the postmaster of last
    /// resort, and bare login names must not be taken for one: what is to be changed or removed is named in full.
    /// </summary>
    internal async ValueTask<NameMeaning?> AtAsync(string address, CancellationToken cancel)
    {
        var canonical = LoginNames.Canonical(address);
        return canonical.LastIndexOf('@') > 0 ? await _names.FindAsync(canonical, cancel).ConfigureAwait(false) : null;
    }

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
        state.Account, state.Address, state.Status == AccountStatus.Suspended, state.QuotaLimit, state.MessageLimit,
        state.Administrator, state.Recoverable is not null, state.Opened)
    {
        SendAs = state.SendAs,
        SaveSent = state.SaveSent,
        CredentialVersion = state.CredentialVersion,
    };

    // The address itself first, so that an alias may have a separator in its name; then without its detail (RFC 5233).
    internal async ValueTask<NameMeaning> AddressAsync(string name, string domain, CancellationToken cancel)
    {
        var meaning = await _names.FindAsync($"{name}@{domain}", cancel).ConfigureAwait(false);
        if (meaning is not NameMeaning.Nothing || WithoutDetail(name) is not { Length: > 0 } plain || plain.Length == name.Length)
            return meaning;
        return await _names.FindAsync($"{plain}@{domain}", cancel).ConfigureAwait(false);
    }

    internal string WithoutDetail(string name)
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

    // Nobody is left out without a word: whoever is suspended makes all of an alias wait. Who is full gets it beyond the quota
    // while somebody has room; only when nobody has, the sender is told.
    private async ValueTask<RecipientAnswer> ToAsync(List<string> accounts, string recipient, long size, CancellationToken cancel)
    {
        var recipients = new List<LocalRecipient>(accounts.Count);
        var room = false;
        (AccountState State, QuotaUsage Usage)? full = null;
        foreach (var account in accounts)
        {
            var state = await StateAsync(account, cancel).ConfigureAwait(false);
            if (!state.Exists)
                continue;
            if (state.Status == AccountStatus.Suspended)
                return Refused(RecipientStatus.Suspended);
            // A message of unknown size has at least one byte: a full account is full.
            var usage = UsageMemory.Of(await _quotas.UsedAsync(account, cancel).ConfigureAwait(false), state);
            var fits = usage.HasRoomFor(Math.Max(size, 1), 1);
            room |= fits;
            full ??= fits ? null : (state, usage);
            recipients.Add(new(account, state.Address, recipient) { BeyondQuota = !fits });
        }
        if (room)
            return new(RecipientStatus.Local, recipients);
        if (full is not var (first, used))
            return Refused(RecipientStatus.Unknown);
        _log.QuotaExceeded(first.Account, first.Address, used, size);
        return Refused(RecipientStatus.OverQuota);
    }

    // RFC 5321 §4.5.1: postmaster's mail is taken whatever the state of the account that it falls to.
    private async ValueTask<RecipientAnswer> LastResortAsync(string recipient, CancellationToken cancel)
    {
        if (await _names.FindAsync(NameTable.Postmaster, cancel).ConfigureAwait(false) is not NameMeaning.Account account)
            return Refused(RecipientStatus.Unknown);
        var state = await StateAsync(account.Id, cancel).ConfigureAwait(false);
        return new(RecipientStatus.Local, [new(account.Id, state.Address, recipient) { BeyondQuota = true }]);
    }

    private static RecipientAnswer Refused(RecipientStatus status) => new(status, []);

    private void Follow(CommitBatch batch)
    {
        foreach (var change in batch.Changes)
        {
            switch (change.Before, change.After)
            {
                case (MailboxState, MailboxState):
                    _quotas.Follow(change);
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
            _quotas.Forget(after.Account);
        Logins.Follow(after);
    }
}
