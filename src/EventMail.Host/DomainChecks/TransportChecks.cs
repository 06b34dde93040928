using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using EventMail.Protocols.Dns;
using EventMail.Protocols.TransportSecurity;

namespace EventMail.Host.DomainChecks;

/// <summary>Whether others can be sure of the way to the server: MTA-STS (RFC 8461) and DANE (RFC 7672). Mail works without.</summary>
internal sealed class TransportChecks(DomainSetup setup, IDnsSource dns, TransportPolicies policies, DaneRecords dane, TimeProvider time)
{
    private const int SmtpPort = 25;

    public async Task<IReadOnlyList<CheckLine>> RunAsync(CancellationToken cancel) => [await MtaStsAsync(cancel), await TlsaAsync(cancel)];

    private async Task<CheckLine> MtaStsAsync(CancellationToken cancel)
    {
        const string What = "MTA-STS";
        var name = "_mta-sts." + setup.Domain;
        var publish = string.Create(CultureInfo.InvariantCulture, $"{name}. IN TXT \"v=STSv1; id={time.GetUtcNow():yyyyMMddHHmmss};\"");
        var url = $"https://mta-sts.{setup.Domain}/.well-known/mta-sts.txt";
        var policyText = $"{url} must hold: version: STSv1, mode: testing, mx: {setup.Hostname}, max_age: 604800, each on a line";
        var answer = await dns.QueryAsync(name, DnsType.Txt, cancel);
        if (!answer.Of<TxtRecord>().Any(record => Encoding.Latin1.GetString(record.Text.Span).StartsWith("v=STSv1", StringComparison.Ordinal)))
            return DomainCheck.Nothing(What, answer, name, policyText, publish, isOptional: true);
        var policy = await policies.ForAsync(setup.Domain, cancel);
        if (policy.Id.Length == 0)
            return new(What, CheckStatus.Wrong, name, null, $"there is a record, but no policy could be fetched; {policyText}", null, IsOptional: true);
        var found = $"mode {policy.Mode.ToString().ToLowerInvariant()}, mx {string.Join(", ", policy.Mx)}";
        return policy.Mode == MtaStsMode.None || policy.Allows(setup.Hostname)
            ? new(What, CheckStatus.Ok, name, found, null, null, IsOptional: true)
            : new(What, CheckStatus.Wrong, name, found, $"the policy does not name {setup.Hostname}: add it to {url} and change the record's id", publish, IsOptional: true);
    }

    private async Task<CheckLine> TlsaAsync(CancellationToken cancel)
    {
        const string What = "TLSA";
        var name = $"_{SmtpPort}._tcp.{setup.Hostname}";
        var own = setup.Certificates.Count > 0 ? setup.Certificates[0] : null;
        var publish = own is null ? null : $"{name}. IN TLSA 3 1 1 {Convert.ToHexStringLower(SHA256.HashData(own.PublicKey.ExportSubjectPublicKeyInfo()))}";
        var answer = await dns.QueryAsync(name, DnsType.Tlsa, cancel);
        var found = string.Join(", ", answer.Of<TlsaRecord>().Select(record => $"{record.Usage} {record.Selector} {record.Matching} {Convert.ToHexStringLower(record.Data.Span)}"));
        if (answer.Status != DnsStatus.Found)
        {
            return new(
                What, answer.Status == DnsStatus.Failed ? CheckStatus.Unknown : CheckStatus.Missing, name, null,
                answer.Detail ?? (own is null ? "set Tls:Certificate first" : "only for zones that are signed (DNSSEC); renew the certificate with the same key, or the record with it"), publish, IsOptional: true);
        }
        var mx = await dns.QueryAsync(setup.Domain, DnsType.Mx, cancel);
        var demand = await dane.ForAsync(setup.Domain, mx.Name, setup.Hostname, SmtpPort, mx.IsAuthentic, cancel);
        var others = new X509Certificate2Collection(setup.Certificates.Skip(1).ToArray());
        var (status, why) = demand.Status switch
        {
            DaneStatus.None => (CheckStatus.Unknown, "it was not validated: the zones are not signed, or the resolver does not validate (Dns:TrustAd)"),
            DaneStatus.Authenticated when own is null => (CheckStatus.Unknown, "set Tls:Certificate to compare it"),
            DaneStatus.Authenticated when demand.Refusal(own, others) is { } refusal => (CheckStatus.Wrong, refusal),
            DaneStatus.Authenticated => (CheckStatus.Ok, null),
            DaneStatus.Encrypted => (CheckStatus.Wrong, demand.Detail),
            _ => (CheckStatus.Unknown, demand.Detail),
        };
        return new(What, status, name, found, why, status == CheckStatus.Ok ? null : publish, IsOptional: true);
    }
}
