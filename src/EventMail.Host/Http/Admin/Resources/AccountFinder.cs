using EventMail.Domain.Accounts;
using EventMail.Projections.Accounts;
using Directory = EventMail.Projections.Accounts.Directory;

namespace EventMail.Host.Http.Admin.Resources;

/// <summary>The account that a path names: by its address or its id. An alias is none: who changes something names it itself.</summary>
internal sealed class AccountFinder(Directory directory)
{
    public static ApiAnswer Missing { get; } = ApiAnswer.NotFound("account");

    public async ValueTask<AccountEntry?> FindAsync(ApiRequest request)
    {
        var named = request.Path("account");
        if (!named.Contains('@', StringComparison.Ordinal))
            return named.Length == 8 ? await directory.GetAsync(named, request.Cancel) : null;
        return await directory.FindAsync(named, request.Cancel) is { } found
            && MailAddress.TryParse(named, out var address, out _) && address.ToString() == found.Address ? found : null;
    }

    /// <summary>Runs what needs the account.</summary>
    public async Task<ApiAnswer> WithAsync(ApiRequest request, Func<AccountEntry, Task<ApiAnswer>> run) =>
        await FindAsync(request) is { } account ? await run(account) : Missing;
}
