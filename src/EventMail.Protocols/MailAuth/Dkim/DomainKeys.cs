using System.Runtime.CompilerServices;
using EventMail.Projections.Accounts;

namespace EventMail.Protocols.MailAuth.Dkim;

/// <summary>The keys of this server's domains, ready to sign. Thread-safe.</summary>
public sealed class DomainKeys(DkimKeyService service)
{
    // As long as a key signs it is the same object, and what was made of it is kept.
    private readonly ConditionalWeakTable<DkimSecret, DkimSigningKey> _keys = [];

    /// <summary>A <see cref="DkimKeySource"/>.</summary>
    public async ValueTask<IReadOnlyList<DkimSigningKey>> ForAsync(string domain, CancellationToken cancel)
    {
        var secrets = await service.SigningAsync(domain, cancel).ConfigureAwait(false);
        return secrets.Count == 0 ? [] : [.. secrets.Select(secret => _keys.GetValue(secret, Load))];
    }

    private static DkimSigningKey Load(DkimSecret secret) =>
        new(secret.Domain, secret.Selector, DkimAlgorithms.OfKeyType(secret.Algorithm), secret.PrivateKey);
}
