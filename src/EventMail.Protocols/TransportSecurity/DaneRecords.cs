using System.Globalization;
using EventMail.Protocols.Dns;

namespace EventMail.Protocols.TransportSecurity;

/// <summary>
/// Looks up what DANE demands of a mail server (RFC 7672). Only answers that the resolver validated count, from the MX record on; where
/// none is validated there is no DANE. Thread-safe.
/// </summary>
public sealed class DaneRecords(IDnsSource dns)
{
    /// <param name="nextHop">The domain whose MX this is: of the recipient, ASCII.</param>
    /// <param name="canonical">Where the CNAMEs of its MX question led to; the same without any.</param>
    /// <param name="mxHost">The server: the exchange of the MX record, or the domain itself without MX records.</param>
    /// <param name="isMxAuthentic">The answer about MX records was validated, also when there are none (§2.2.1).</param>
    public async ValueTask<DaneAnswer> ForAsync(string nextHop, string canonical, string mxHost, int port, bool isMxAuthentic, CancellationToken cancel)
    {
        mxHost = Plain(mxHost);
        if (!isMxAuthentic)
            return None(mxHost);
        var bases = await BaseDomainsAsync(mxHost, cancel).ConfigureAwait(false);
        if (bases is null)
            return new(DaneStatus.Failed, [], mxHost, [], $"the addresses of {mxHost} cannot be found out");

        foreach (var name in bases)
        {
            var owner = string.Create(CultureInfo.InvariantCulture, $"_{port}._tcp.{name}");
            var answer = await dns.QueryAsync(owner, DnsType.Tlsa, cancel).ConfigureAwait(false);
            // §2.1.3: an attacker may suppress the answer; going on without it would be what he wants.
            if (answer.Status == DnsStatus.Failed)
                return new(DaneStatus.Failed, [], name, [], $"TLSA {owner}: {answer.Detail}");
            if (answer is { Status: DnsStatus.Found, IsAuthentic: true })
                return Of([.. answer.Of<TlsaRecord>()], name, [.. new[] { name, mxHost, Plain(nextHop), Plain(canonical) }.Distinct()]);
        }
        return None(mxHost);
    }

    /// <summary>Where TLSA records may be (§2.2.2), in the order to ask; empty without DANE, null when it cannot be told.</summary>
    private async Task<IReadOnlyList<string>?> BaseDomainsAsync(string mxHost, CancellationToken cancel)
    {
        // The resolver answers both from its cache when the server's addresses are looked up.
        var a = await dns.QueryAsync(mxHost, DnsType.A, cancel).ConfigureAwait(false);
        var aaaa = await dns.QueryAsync(mxHost, DnsType.Aaaa, cancel).ConfigureAwait(false);
        var answers = new[] { a, aaaa }.Where(answer => answer.Status != DnsStatus.Failed).ToList();
        if (answers.Count == 0)
            return null;
        var end = answers.FirstOrDefault(answer => answer.Status == DnsStatus.Found)?.Name ?? answers[0].Name;
        if (answers.TrueForAll(answer => answer.IsAuthentic))
            return end == mxHost ? [mxHost] : [end, mxHost];
        if (end == mxHost)
            return [];
        // The name it is an alias of is not validated; the alias itself may be.
        var alias = await dns.QueryAsync(mxHost, DnsType.Cname, cancel).ConfigureAwait(false);
        return alias.Status == DnsStatus.Failed ? null : alias is { Status: DnsStatus.Found, IsAuthentic: true } ? [mxHost] : [];
    }

    private static DaneAnswer Of(IReadOnlyList<TlsaRecord> records, string name, IReadOnlyList<string> names)
    {
        var usable = TlsaUsability.Usable(records);
        return usable.Count > 0
            ? new(DaneStatus.Authenticated, usable, name, usable.Any(record => record.Usage == TlsaUsability.DaneTa) ? names : [], null)
            : new(DaneStatus.Encrypted, [], name, [], "no TLSA record can be used: usages 2 and 3, selectors 0 and 1, matching types 0, 1 and 2 can");
    }

    private static DaneAnswer None(string mxHost) => new(DaneStatus.None, [], mxHost, [], null);

    private static string Plain(string name) => name.TrimEnd('.').ToLowerInvariant();
}
