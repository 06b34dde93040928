using EventMail.Domain.Accounts;
using EventMail.Host.Composition;
using EventMail.Host.Restoring;
using EventMail.Projections.Accounts;

namespace EventMail.Host.Http.Admin.Resources;

/// <summary>The account that a path names: by its address or its id. An alias is none: who changes something names it itself.</summary>
internal sealed class AccountFinder(MailStore store)
{
    private readonly AccountRestore _accounts = new(store);

    public static ApiAnswer Missing { get; } = ApiAnswer.NotFound("account");

    public async ValueTask<AccountEntry?> FindAsync(ApiRequest request)
    {
        var named = request.Path("account");
        if (!named.Contains('@', StringComparison.Ordinal))
            return named.Length == 8 ? await store.Directory.GetAsync(named, request.Cancel) : null;
        return await store.Directory.FindAsync(named, request.Cancel) is { } found
            && MailAddress.TryParse(named, out var address, out _) && address.ToString() == found.Address ? found : null;
    }

    /// <summary>Runs what needs the account.</summary>
    public async Task<ApiAnswer> WithAsync(ApiRequest request, Func<AccountEntry, Task<ApiAnswer>> run) =>
        await FindAsync(request) is { } account ? await run(account) : Missing;

    /// <summary>Runs what reads the account as it is, or as it was at an instant (`at`): then it may be closed by now.</summary>
    public async Task<ApiAnswer> WithThenAsync(ApiRequest request, Func<string, Task<ApiAnswer>> run)
    {
        var account = request.Time("at") is { } at ? await _accounts.FindAsync(request.Path("account"), request.Cancel, at) : (await FindAsync(request))?.Account;
        return account is not null ? await run(account) : Missing;
    }
}
