using EventMail.Domain.Accounts;

namespace EventMail.Projections.Accounts;

/// <summary>
/// Whom an account may send as: itself, aliases that lead to it, each with its subaddresses, and whom it was granted. Answers from
/// memory as the directory does. Thread-safe.
/// </summary>
public sealed class SenderRules(Directory directory)
{
    /// <param name="account">The account's id.</param>
    /// <param name="localPart">Quotes removed.</param>
    /// <param name="domain">As the client wrote it; what is no host name is nobody's.</param>
    public async ValueTask<bool> AllowAsync(string account, string localPart, string domain, CancellationToken cancel)
    {
        if (!MailAddress.TryCanonicalDomain(domain, out var host))
            return false;
        var name = MailAddress.CanonicalLocalPart(localPart);
        if (name.Length is 0 or > AccountLimits.Address)
            return false;
        return await directory.AddressAsync(name, host, cancel).ConfigureAwait(false) switch
        {
            NameMeaning.Account own when own.Id == account => true,
            NameMeaning.Alias alias when (await directory.ExpandAsync(alias, cancel).ConfigureAwait(false)).Contains(account) => true,
            _ => IsGranted((await directory.StateAsync(account, cancel).ConfigureAwait(false)).SendAs, name, host),
        };
    }

    private bool IsGranted(IReadOnlySet<string> grants, string name, string host) => grants.Count > 0
        && (grants.Contains($"{name}@{host}") || grants.Contains($"{directory.WithoutDetail(name)}@{host}") || grants.Contains($"@{host}"));

    /// <summary>What a grant is kept as; null for what is neither an address nor "@domain".</summary>
    internal static string? Canonical(string sender, out string why)
    {
        why = "Write an address, or @domain for all of a domain";
        if (sender.StartsWith('@'))
            return MailAddress.TryCanonicalDomain(sender[1..], out var host) ? $"@{host}" : null;
        if (MailAddress.TryParse(sender, out var address, out var fault))
            return address.ToString();
        why = fault;
        return null;
    }
}
