using EventMail.Projections.Accounts;

namespace EventMail.Host.Http.Admin.Resources;

/// <param name="ReadOnly">Why nothing can be written to it: it is being moved to another server, or has moved there.</param>
/// <param name="MovedTo">The server that it has moved to for good.</param>
internal sealed record AccountSummaryDocument(
    string Id, string Address, bool Suspended, bool Administrator, long Quota, long? MessageLimit, DateTimeOffset Opened, DateTimeOffset? LastLogin,
    string? LastProtocol, string? LastClient, string? ReadOnly, string? MovedTo)
{
    public static AccountSummaryDocument Of(AccountListing account) => new(
        account.Account, account.Address, account.Suspended, account.Administrator, account.QuotaLimit, account.MessageLimit, account.Opened,
        account.LastLogin, account.LastProtocol, account.LastClient, account.ReadOnly, account.MovedTo);
}

/// <param name="Used">Octets of its mail.</param>
/// <param name="ReadOnly">Why nothing can be written to it: it is being moved to another server, or has moved there.</param>
/// <param name="MovedTo">The server that it has moved to for good.</param>
internal sealed record AccountDocument(
    string Id, string Address, bool Suspended, bool Administrator, DateTimeOffset Opened, DateTimeOffset? LastLogin, string? LastProtocol, string? LastClient,
    long Used, long Messages, QuotaDocument Quota, IReadOnlyCollection<string> SendAs, bool SaveSent, bool RecoverableSecret, string? ReadOnly, string? MovedTo);

/// <param name="Password">Without one, one is made and answered.</param>
/// <param name="Quota">Octets; without it the server's default.</param>
internal sealed record NewAccountDocument(string Address, string? Password = null, long? Quota = null);

/// <param name="Password">Where it was made here: shown this once.</param>
internal sealed record OpenedAccountDocument(string Id, string Address, string? Password, bool DomainAdded);

/// <param name="Reason">For the log.</param>
internal sealed record ReasonDocument(string? Reason = null);

internal sealed record NewPasswordDocument(string? Password = null);

internal sealed record PasswordDocument(string? Password);

/// <param name="Octets">Of all its mail.</param>
/// <param name="Messages">Null: as many as there is room for.</param>
internal sealed record QuotaDocument(long Octets, long? Messages = null);

internal sealed record AppPasswordListDocument(IReadOnlyList<AppPasswordEntry> Items);

internal sealed record NewAppPasswordDocument(string Name);

/// <param name="Password">Shown this once.</param>
internal sealed record IssuedAppPasswordDocument(string Name, string Password);

/// <param name="Reason">For the log.</param>
internal sealed record AuditReadsDocument(bool Enabled, string? Reason = null);

internal sealed record AuditedReadsDocument(bool Enabled);

/// <param name="Enabled">False: clients save what they send themselves, as most do.</param>
internal sealed record SaveSentDocument(bool Enabled);

/// <param name="Addresses">Addresses, and `@domain` for all of a domain.</param>
internal sealed record SendAsDocument(IReadOnlyCollection<string> Addresses);
