using EventMail.Domain;
using EventMail.Domain.Accounts;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;

namespace EventMail.Projections.Accounts;

/// <summary>Changes accounts. A task that ends without a rejection is durable. Thread-safe.</summary>
public sealed class AccountService(
    EventLog log, Directory directory, PasswordHasher hasher, SecretKey key, MailboxService mailboxes, long defaultQuota)
{
    private static readonly Rejection BadPassword =
        Rejection.Invalid($"A password has 1 to {AccountLimits.Password} octets");

    // As good as none: what a capturing server keeps is limited by its count of messages.
    private const long CapturedQuota = 1L << 50;

    private readonly CommandExecutor _executor = log.Executor;

    /// <summary>Opens an account with its first mailboxes; adds its domain when that is new.</summary>
    /// <param name="quotaLimit">In bytes; null for the default.</param>
    public async Task<Result<AccountOpening>> AddAsync(
        string address, string password, long? quotaLimit, Actor actor, CancellationToken cancel)
    {
        if (!MailAddress.TryParse(address, out var parsed, out var why))
            return Rejection.Invalid(why);
        if (PreparedPassword.Of(password) is not { } prepared)
            return BadPassword;
        if (await directory.MeaningAsync(parsed.ToString(), cancel).ConfigureAwait(false) is not NameMeaning.Nothing)
            return AccountRejections.AddressTaken;
        var keys = await hasher.DeriveAsync(prepared, cancel).ConfigureAwait(false);
        return await OpenAsync(parsed, new(keys.Hash, keys.Scram, null, keys.ScramSha1), quotaLimit ?? defaultQuota, actor, cancel).ConfigureAwait(false);
    }

    /// <summary>
    /// The account of an address of any shape, opened on first sight, without a password that anybody could know: for capture mode.
    /// </summary>
    public async ValueTask<Result<AccountEntry>> CaptureAsync(MailAddress address, Actor actor, CancellationToken cancel)
    {
        // Twice: another session may open it between the look and the attempt.
        for (var attempt = 0; ; attempt++)
        {
            if (await directory.MeaningAsync(address.ToString(), cancel).ConfigureAwait(false) is NameMeaning.Account known
                && await directory.GetAsync(known.Id, cancel).ConfigureAwait(false) is { } entry)
                return entry;
            var opened = await OpenAsync(address, new(hasher.Unmatchable, null, null), CapturedQuota, actor, cancel).ConfigureAwait(false);
            if (opened.Rejection is not { } rejection)
                return opened.Value!.Account;
            if (rejection != AccountRejections.AddressTaken || attempt > 0)
                return rejection;
        }
    }

    private async Task<Result<AccountOpening>> OpenAsync(
        MailAddress parsed, PasswordSet password, long quotaLimit, Actor actor, CancellationToken cancel)
    {
        var id = AppPasswords.NewAccountId();
        var account = AccountStreamKinds.AccountStream(id);
        var domain = AccountStreamKinds.DomainStream(parsed.Domain);
        var first = !await AnyAsync(cancel).ConfigureAwait(false);
        var opening = new NewAccountMailboxes(id);

        var outcome = await ExecuteAsync(actor, [account, domain, .. opening.Streams], decision =>
        {
            var domainState = decision.State<DomainState>(domain.Key);
            if (!domainState.Exists && !decision.Apply(domain.Key, DomainDecider.Add(domainState, parsed.Domain)))
                return;
            if (!decision.Apply(account.Key, AccountDecider.Open(
                decision.State<AccountState>(account.Key), parsed, quotaLimit, administrator: first, password)))
                return;
            opening.Decide(decision);
            decision.Result = new AccountOpening(Directory.EntryOf(decision.State<AccountState>(account.Key)), !domainState.Exists);
        }, cancel).ConfigureAwait(false);
        return outcome.Rejection is Rejection rejection ? rejection : (AccountOpening)outcome.Result!;
    }

    /// <summary>Voids what the old password proved, on all nodes. An account that has opted in keeps a recoverable copy.</summary>
    public async Task<Result<AccountEntry>> SetPasswordAsync(string address, string password, Actor actor, CancellationToken cancel)
    {
        if (PreparedPassword.Of(password) is not { } prepared)
            return BadPassword;
        var keys = await hasher.DeriveAsync(prepared, cancel).ConfigureAwait(false);
        return await ChangeAsync(
            address, state => AccountDecider.SetPassword(state, new(keys.Hash, keys.Scram, key.Encrypt(state.Account, prepared), keys.ScramSha1)), actor, cancel)
            .ConfigureAwait(false);
    }

    /// <summary>
    /// Opts in to CRAM-MD5 and APOP: the password is kept once more, encrypted with the data folder's key. It must be shown, since
    /// nobody knows it.
    /// </summary>
    public async Task<Result<AccountEntry>> EnableRecoverableAsync(string address, string password, Actor actor, CancellationToken cancel)
    {
        if (await directory.FindAsync(address, cancel).ConfigureAwait(false) is not { } entry)
            return Rejection.AccountMissing;
        var verified = (await directory.StateAsync(entry.Account, cancel).ConfigureAwait(false)).PasswordHash;
        if (PreparedPassword.Of(password) is not { } prepared)
            return BadPassword;
        using (var turn = await hasher.TurnAsync(cancel).ConfigureAwait(false))
        {
            if (!await turn.RunAsync(() => Argon2.Verify(verified, prepared)).ConfigureAwait(false))
                return Rejection.Invalid("That is not the account's password");
        }
        return await ChangeAsync(
            address, state => AccountDecider.EnableRecoverable(state, verified, key.Encrypt(state.Account, prepared)), actor, cancel)
            .ConfigureAwait(false);
    }

    public Task<Result<AccountEntry>> DisableRecoverableAsync(string address, Actor actor, CancellationToken cancel) =>
        ChangeAsync(address, AccountDecider.DisableRecoverable, actor, cancel);

    /// <summary>A password for one program, shown once; it works with mechanisms that send the password.</summary>
    public async Task<Result<string>> IssueAppPasswordAsync(string address, string name, Actor actor, CancellationToken cancel)
    {
        var password = AppPasswords.NewAppPassword();
        var issued = new AppPasswordIssued(AppPasswords.NewAccountId(), name, AppPasswords.Sha256Of(password));
        var result = await ChangeAsync(address, state => AccountDecider.IssueAppPassword(state, issued), actor, cancel)
            .ConfigureAwait(false);
        return result.Rejection is { } rejection ? rejection : password;
    }

    /// <summary>Without what they are.</summary>
    /// <param name="account">The id.</param>
    public async Task<IReadOnlyList<AppPasswordEntry>> AppPasswordsAsync(string account, CancellationToken cancel) =>
        [.. (await directory.StateAsync(account, cancel).ConfigureAwait(false)).AppPasswords.Select(password => new AppPasswordEntry(password.Id, password.Name))];

    public Task<Result<AccountEntry>> RevokeAppPasswordAsync(string address, string idOrName, Actor actor, CancellationToken cancel) =>
        ChangeAsync(address, state => AccountDecider.RevokeAppPassword(state, idOrName), actor, cancel);

    /// <param name="limit">In bytes.</param>
    public Task<Result<AccountEntry>> SetQuotaAsync(string address, long limit, Actor actor, CancellationToken cancel) =>
        SetQuotaAsync(address, limits => limits with { Bytes = limit }, actor, cancel);

    /// <param name="change">Of the limits that hold when it is decided.</param>
    public Task<Result<AccountEntry>> SetQuotaAsync(
        string address, Func<QuotaLimits, QuotaLimits> change, Actor actor, CancellationToken cancel) =>
        ChangeAsync(address, state => AccountDecider.SetQuota(state, change(new(state.QuotaLimit, state.MessageLimit))), actor, cancel);

    public Task<Result<AccountEntry>> SuspendAsync(string address, string? reason, Actor actor, CancellationToken cancel) =>
        ChangeAsync(address, state => AccountDecider.Suspend(state, reason), actor, cancel);

    public Task<Result<AccountEntry>> ResumeAsync(string address, Actor actor, CancellationToken cancel) =>
        ChangeAsync(address, AccountDecider.Resume, actor, cancel);

    /// <param name="sender">An address, or "@domain" for all of a domain; here or elsewhere.</param>
    public Task<Result<AccountEntry>> GrantSendAsAsync(string address, string sender, Actor actor, CancellationToken cancel) =>
        SenderRules.Canonical(sender, out var why) is { } name
            ? ChangeAsync(address, state => AccountDecider.GrantSendAs(state, name), actor, cancel)
            : Task.FromResult<Result<AccountEntry>>(Rejection.Invalid(why));

    public Task<Result<AccountEntry>> RevokeSendAsAsync(string address, string sender, Actor actor, CancellationToken cancel) =>
        SenderRules.Canonical(sender, out var why) is { } name
            ? ChangeAsync(address, state => AccountDecider.RevokeSendAs(state, name), actor, cancel)
            : Task.FromResult<Result<AccountEntry>>(Rejection.Invalid(why));

    /// <summary>Whether what the account submits is kept in its mailbox for sent mail.</summary>
    public Task<Result<AccountEntry>> SetSaveSentAsync(string address, bool enabled, Actor actor, CancellationToken cancel) =>
        ChangeAsync(address, state => AccountDecider.SetSaveSent(state, enabled), actor, cancel);

    /// <summary>Whether what is read of the account's mail, and what it reads of others', becomes events. Its own clients are told nothing of it.</summary>
    public Task<Result<AccountEntry>> SetAuditReadsAsync(string address, bool enabled, string? reason, Actor actor, CancellationToken cancel) =>
        ChangeAsync(address, state => AccountDecider.SetAuditReads(state, enabled, reason), actor, cancel);

    /// <summary>Closes an account and deletes its mailboxes: its address is free again, its log stays. Answers what it was.</summary>
    public async Task<Result<AccountEntry>> CloseAsync(string address, Actor actor, CancellationToken cancel)
    {
        if (await directory.AtAsync(address, cancel).ConfigureAwait(false) is not NameMeaning.Account found)
            return Rejection.AccountMissing;
        var closing = await mailboxes.ClosingAsync(found.Id, cancel).ConfigureAwait(false);
        var stream = AccountStreamKinds.AccountStream(found.Id);
        var outcome = await DirectoryCommands.ExecuteAsync(_executor, actor, [stream, .. closing.Streams], decision =>
        {
            var state = decision.State<AccountState>(stream.Key);
            if (!decision.Apply(stream.Key, AccountDecider.Close(state)))
                return;
            closing.Decide(decision);
            decision.Result = Directory.EntryOf(state);
        }, cancel, onWhatIsLeft: true).ConfigureAwait(false);
        return outcome.Rejection is Rejection rejection ? rejection : (AccountEntry)outcome.Result!;
    }

    /// <summary>
    /// Opens an account that was closed, under its id and with the address that it had. Nobody can log in to it until it has a password
    /// (<see cref="SetPasswordAsync"/>); its mailboxes are for who restores them.
    /// </summary>
    /// <param name="account">Its id.</param>
    public async Task<Result<AccountEntry>> ReopenAsync(string account, Actor actor, CancellationToken cancel)
    {
        var stream = AccountStreamKinds.AccountStream(account);
        var closed = await directory.StateAsync(account, cancel).ConfigureAwait(false);
        if (!MailAddress.TryParse(closed.Address, out var address, out _))
            return Rejection.AccountMissing;
        if (await directory.MeaningAsync(closed.Address, cancel).ConfigureAwait(false) is not NameMeaning.Nothing)
            return AccountRejections.AddressTaken;
        var domain = AccountStreamKinds.DomainStream(address.Domain);
        var outcome = await ExecuteAsync(actor, [stream, domain], decision =>
        {
            var domainState = decision.State<DomainState>(domain.Key);
            if (!domainState.Exists && !decision.Apply(domain.Key, DomainDecider.Add(domainState, address.Domain)))
                return;
            if (decision.Apply(stream.Key, AccountDecider.Reopen(decision.State<AccountState>(stream.Key), new(hasher.Unmatchable, null, null))))
                decision.Result = Directory.EntryOf(decision.State<AccountState>(stream.Key));
        }, cancel).ConfigureAwait(false);
        return outcome.Rejection is Rejection rejection ? rejection : (AccountEntry)outcome.Result!;
    }

    /// <summary>On a database without accounts: opens an administrator's account with a random password; else null.</summary>
    public async Task<FirstAccount?> EnsureFirstAccountAsync(string hostName, Actor actor, CancellationToken cancel)
    {
        if (await AnyAsync(cancel).ConfigureAwait(false))
            return null;
        var domain = MailAddress.TryCanonicalDomain(hostName, out var canonical) ? canonical : "localhost";
        var (address, password) = ($"postmaster@{domain}", AppPasswords.NewPassword());
        var result = await AddAsync(address, password, null, actor, cancel).ConfigureAwait(false);
        // Another node was first.
        return result.Rejection == AccountRejections.AddressTaken ? null
            : result.Rejection is { } rejection ? throw new InvalidOperationException($"{address}: {rejection.Text}")
            : new(address, password);
    }

    private async Task<bool> AnyAsync(CancellationToken cancel) =>
        await directory.MeaningAsync(NameTable.Postmaster, cancel).ConfigureAwait(false) is NameMeaning.Account;

    private async Task<Result<AccountEntry>> ChangeAsync(
        string address, Func<AccountState, Result<object[]>> decide, Actor actor, CancellationToken cancel)
    {
        if (await directory.AtAsync(address, cancel).ConfigureAwait(false) is not NameMeaning.Account found)
            return Rejection.AccountMissing;
        var stream = AccountStreamKinds.AccountStream(found.Id);
        var outcome = await ExecuteAsync(actor, [stream], decision =>
        {
            if (decision.Apply(stream.Key, decide(decision.State<AccountState>(stream.Key))))
                decision.Result = Directory.EntryOf(decision.State<AccountState>(stream.Key));
        }, cancel).ConfigureAwait(false);
        return outcome.Rejection is Rejection rejection ? rejection : (AccountEntry)outcome.Result!;
    }

    private Task<Outcome> ExecuteAsync(Actor actor, IReadOnlyList<StreamRef> streams, Action<Decision> decide, CancellationToken cancel) =>
        DirectoryCommands.ExecuteAsync(_executor, actor, streams, decide, cancel);
}

/// <param name="DomainAdded">The account's mail domain was new here.</param>
public sealed record AccountOpening(AccountEntry Account, bool DomainAdded);

/// <summary>To be printed once: the password is kept nowhere.</summary>
public sealed record FirstAccount(string Address, string Password);

public sealed record AppPasswordEntry(string Id, string Name);
