namespace EventMail.Domain.Accounts;

/// <summary>What may happen to an account. Pure; an empty answer means that nothing changes.</summary>
public static class AccountDecider
{
    private static readonly object[] Nothing = [];

    private static readonly Rejection QuotaTooLarge = Rejection.Invalid("A quota is at most 9007199254740991");

    /// <summary>An id is handed out once: a closed account's is not opened again.</summary>
    public static Result<object[]> Open(AccountState state, MailAddress address, long quotaLimit, bool administrator, PasswordSet password) =>
        state.Status != AccountStatus.None ? AccountRejections.AddressTaken
        : quotaLimit < 0 ? Rejection.Invalid("A quota is not negative")
        : quotaLimit > AccountLimits.MaxQuota ? QuotaTooLarge
        : Events(new AccountOpened(state.Account, address.ToString(), quotaLimit, administrator), password);

    /// <summary>A recoverable copy is kept exactly when the account has opted in by then.</summary>
    public static Result<object[]> SetPassword(AccountState state, PasswordSet password) =>
        !state.Exists ? Rejection.AccountMissing
        : state.Recoverable is null ? Events(password with { Recoverable = null })
        : password.Recoverable is null ? AccountRejections.PasswordChanged
        : Events(password);

    /// <param name="verified">The hash that the shown password was checked against.</param>
    public static Result<object[]> Rehash(AccountState state, string verified, PasswordRehashed rehashed) =>
        !state.Exists ? Rejection.AccountMissing
        : state.PasswordHash != verified ? Nothing
        : Events(rehashed);

    /// <param name="verified">The hash that the password behind <paramref name="secret"/> was checked against.</param>
    public static Result<object[]> EnableRecoverable(AccountState state, string verified, RecoverableSecret secret) =>
        !state.Exists ? Rejection.AccountMissing
        : state.PasswordHash != verified ? AccountRejections.PasswordChanged
        : Events(new RecoverableSecretEnabled(secret));

    public static Result<object[]> DisableRecoverable(AccountState state) =>
        !state.Exists ? Rejection.AccountMissing
        : state.Recoverable is null ? Nothing
        : Events(new RecoverableSecretDisabled());

    public static Result<object[]> IssueAppPassword(AccountState state, AppPasswordIssued issued) =>
        !state.Exists ? Rejection.AccountMissing
        : issued.Name.Length is 0 or > 64 || issued.Name.Any(char.IsControl) ? Rejection.Invalid("An app password's name has 1 to 64 characters")
        : state.AppPasswords.Any(p => p.Name == issued.Name) ? new Rejection(RejectionKind.AlreadyExists, "An app password of that name exists")
        : state.AppPasswords.Length >= AccountLimits.AppPasswords ? Rejection.Limit("Too many app passwords")
        : Events(issued);

    public static Result<object[]> RevokeAppPassword(AccountState state, string idOrName) =>
        !state.Exists ? Rejection.AccountMissing
        : state.AppPasswords.FirstOrDefault(p => p.Id == idOrName || p.Name == idOrName) is not { } found ? AccountRejections.AppPasswordMissing
        : Events(new AppPasswordRevoked(found.Id, found.Name));

    public static Result<object[]> SetQuota(AccountState state, QuotaLimits limits)
    {
        if (!state.Exists)
            return Rejection.AccountMissing;
        if (limits.Bytes < 0 || limits.Messages < 0)
            return Rejection.Invalid("A quota is not negative");
        if (limits.Bytes > AccountLimits.MaxQuota || limits.Messages > AccountLimits.MaxQuota)
            return QuotaTooLarge;
        var events = new List<object>(2);
        if (state.QuotaLimit != limits.Bytes)
            events.Add(new QuotaLimitSet(limits.Bytes));
        if (state.MessageLimit != limits.Messages)
            events.Add(new MessageLimitSet(limits.Messages));
        return events.ToArray();
    }

    /// <summary>Notes that the account's mail passed a warning mark, upwards or back.</summary>
    /// <param name="used">In bytes.</param>
    public static Result<object[]> NoteUsage(AccountState state, long used)
    {
        var mark = QuotaMark(used, state.QuotaLimit);
        return !state.Exists || mark == state.QuotaMark ? Nothing : Events(new QuotaThresholdCrossed(mark, used, state.QuotaLimit));
    }

    /// <summary>The highest warning mark that is reached, or 0.</summary>
    public static int QuotaMark(long used, long limit)
    {
        var reached = 0;
        foreach (var mark in AccountLimits.QuotaMarks)
        {
            if ((Int128)used * 100 >= (Int128)limit * mark && used > 0)
            {
                reached = mark;
            }
        }

        return reached;
    }

    public static Result<object[]> Suspend(AccountState state, string? reason) =>
        !state.Exists ? Rejection.AccountMissing
        : reason?.Any(char.IsControl) == true ? Rejection.Invalid("A reason is one line")
        : state.Status == AccountStatus.Suspended ? Nothing
        : Events(new AccountSuspended(reason));

    public static Result<object[]> Resume(AccountState state) =>
        !state.Exists ? Rejection.AccountMissing
        : state.Status == AccountStatus.Open ? Nothing
        : state.MovedTo is not null ? AccountRejections.Moved
        : Events(new AccountResumed());

    /// <summary>The last event here of an account that goes on elsewhere.</summary>
    public static Result<object[]> MoveOut(AccountState state, string to) =>
        !state.Exists ? Rejection.AccountMissing
        : state.MovedTo is not null ? state.MovedTo == to ? Nothing : AccountRejections.Moved
        : state.Status == AccountStatus.Suspended ? AccountRejections.SuspendedStays
        : Events(new AccountMovedOut(to));

    /// <summary>The first event here of an account that came with its log.</summary>
    public static Result<object[]> MoveIn(AccountState state, string from) =>
        !state.Exists ? Rejection.AccountMissing
        : state.MovedTo is null ? Nothing
        : Events(new AccountMovedIn(from));

    public static Result<object[]> Close(AccountState state) =>
        !state.Exists ? Rejection.AccountMissing : Events(new AccountClosed(state.Address));

    /// <param name="password">What it has from now on.</param>
    public static Result<object[]> Reopen(AccountState state, PasswordSet password) => state.Status switch
    {
        AccountStatus.Closed when state.MovedTo is not null => AccountRejections.Moved,
        AccountStatus.Closed => Events(new AccountReopened(state.Address), password),
        _ => state.Exists ? AccountRejections.AddressTaken : Rejection.AccountMissing,
    };

    public static Result<object[]> Subscribe(AccountState state, string name) =>
        !state.Exists ? Rejection.AccountMissing
        : state.Subscriptions.Contains(name) ? Nothing
        : state.Subscriptions.Count >= AccountLimits.Subscriptions ? Rejection.Limit("Too many subscriptions")
        : Events(new MailboxSubscribed(name));

    public static Result<object[]> Unsubscribe(AccountState state, string name) =>
        !state.Exists ? Rejection.AccountMissing
        : !state.Subscriptions.Contains(name) ? Nothing
        : Events(new MailboxUnsubscribed(name));

    /// <param name="address">Canonical: an address, or "@domain".</param>
    public static Result<object[]> GrantSendAs(AccountState state, string address) =>
        !state.Exists ? Rejection.AccountMissing
        : state.SendAs.Contains(address) ? Nothing
        : state.SendAs.Count >= AccountLimits.SendAs ? Rejection.Limit("Too many addresses to send as")
        : Events(new SendAsGranted(address));

    public static Result<object[]> RevokeSendAs(AccountState state, string address) =>
        !state.Exists ? Rejection.AccountMissing
        : !state.SendAs.Contains(address) ? AccountRejections.SendAsMissing
        : Events(new SendAsRevoked(address));

    public static Result<object[]> SetSaveSent(AccountState state, bool enabled) =>
        !state.Exists ? Rejection.AccountMissing
        : state.SaveSent == enabled ? Nothing
        : Events(new SaveSentSet(enabled));

    public static Result<object[]> SetAuditReads(AccountState state, bool enabled, string? reason) =>
        !state.Exists ? Rejection.AccountMissing
        : state.AuditReads == enabled ? Nothing
        : enabled ? Events(new ReadAuditBegun(reason))
        : Events(new ReadAuditEnded(reason));

    private static object[] Events(params object[] events) => events;
}
