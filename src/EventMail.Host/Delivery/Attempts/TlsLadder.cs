using EventMail.Host.Configuration;
using EventMail.Host.Delivery.Routing;
using EventMail.Protocols.Smtp.Client;
using EventMail.Protocols.TransportSecurity;
using Microsoft.Extensions.Logging;

namespace EventMail.Host.Delivery.Attempts;

/// <summary>
/// Finds how much TLS a message needs at a host. From the top: REQUIRETLS of the message (RFC 8689), DANE of the host (RFC 7672),
/// MTA-STS of the domain (RFC 8461), what the operator says, TLS where it works (RFC 7435). Thread-safe.
/// </summary>
/// <param name="policies">A domain's MTA-STS policy.</param>
internal sealed class TlsLadder(
    DeliverySettings settings, DaneRecords dane, Func<string, CancellationToken, ValueTask<TransportPolicy>> policies, ILogger log)
{
    private const string AnyDomain = "*";

    private readonly Dictionary<string, TlsPolicy> _byDomain = new(settings.Tls, StringComparer.OrdinalIgnoreCase);

    /// <param name="domain">The recipients'.</param>
    public async ValueTask<TlsPlan> ForAsync(string domain, NextHop hop, RouteHost host, MessageTls wish, CancellationToken cancel)
    {
        var requireTls = wish == MessageTls.Required;
        if (hop is SmarthostNextHop relay)
            return OfSmarthost(relay.Smarthost, requireTls);
        var configured = _byDomain.GetValueOrDefault(domain, _byDomain.GetValueOrDefault(AnyDomain, TlsPolicy.Opportunistic));
        if (configured == TlsPolicy.None)
        {
            return requireTls
                ? TlsPlan.Refuse(isPermanent: true, "5.7.10", $"The message requires TLS, and Delivery:Tls has none for {domain}", host.Name)
                : TlsPlan.Ask(TlsRequirement.None, "none");
        }
        // RFC 8689 §3, §4.2.2: neither DANE nor MTA-STS. The operator's own word holds.
        if (wish == MessageTls.Optional)
            return OfOperator(configured);
        // A literal has neither MX records nor policies.
        if (hop is not DomainNextHop)
            return requireTls ? TlsPlan.Ask(TlsRequirement.Verified, "requiretls") : OfOperator(configured);

        var asked = await dane.ForAsync(domain, host.Canonical ?? domain, host.Name, host.Addresses[0].Port, host.MxIsAuthentic, cancel);
        if (asked.Status == DaneStatus.Failed)
            return TlsPlan.Refuse(isPermanent: false, "4.4.3", $"DANE of {host.Name} cannot be looked up: {asked.Detail}", host.Name);
        // RFC 8461 §2: MTA-STS does not override DANE.
        if (asked.Status == DaneStatus.Authenticated)
            return OfDane(asked, requireTls ? "requiretls" : "dane");
        var policy = await policies(domain, cancel);
        if (requireTls)
            return OfMessage(domain, host, policy);
        return policy.Mode == MtaStsMode.Enforce ? OfPolicy(domain, host, policy)
            : asked.Status == DaneStatus.Encrypted && configured != TlsPolicy.Verified ? TlsPlan.Ask(TlsRequirement.Encrypted, "dane")
            : OfOperator(configured) with { Tested = IsTested(domain, host, policy) };
    }

    // RFC 8689 §4.2.1: nobody may have put a host of his own in the domain's place.
    private static TlsPlan OfMessage(string domain, RouteHost host, TransportPolicy policy) =>
        host.MxIsAuthentic || host.Name == domain || (policy.Mode != MtaStsMode.None && policy.Allows(host.Name))
            ? TlsPlan.Ask(TlsRequirement.Verified, "requiretls")
            : TlsPlan.Refuse(
                isPermanent: true, "5.7.10",
                $"The message requires TLS, and nothing proves that {host.Name} is a host of {domain}: neither DNSSEC nor MTA-STS", host.Name);

    private static TlsPlan OfDane(DaneAnswer asked, string policy) => new(
        new()
        {
            Requirement = TlsRequirement.Verified,
            Policy = policy,
            ServerName = asked.ServerName,
            Names = asked.Names,
            CheckedBy = asked.Fingerprint,
            Check = (certificate, others) => asked.Refusal(certificate, [.. others]),
        },
        null);

    // RFC 8461 §4.1, §4.2; a host that the policy does not name is passed over (§5).
    private static TlsPlan OfPolicy(string domain, RouteHost host, TransportPolicy policy) => policy.Allows(host.Name)
        ? TlsPlan.Ask(TlsRequirement.Verified, "mta-sts")
        : TlsPlan.Refuse(isPermanent: false, "4.7.5", $"The MTA-STS policy of {domain} does not name {host.Name}", host.Name);

    private static TlsPlan OfOperator(TlsPolicy configured) => configured switch
    {
        TlsPolicy.Encrypted => TlsPlan.Ask(TlsRequirement.Encrypted, "configured"),
        TlsPolicy.Verified => TlsPlan.Ask(TlsRequirement.Verified, "configured"),
        _ => TlsPlan.Ask(TlsRequirement.Opportunistic, "opportunistic"),
    };

    private bool IsTested(string domain, RouteHost host, TransportPolicy policy)
    {
        if (policy.Mode != MtaStsMode.Testing)
            return false;
        if (!policy.Allows(host.Name))
            log.PolicyWouldRefuse(domain, host.Name, "it is not named");
        return true;
    }

    private static TlsPlan OfSmarthost(SmarthostSettings relay, bool requireTls)
    {
        if (relay.Tls == SmarthostTls.None)
        {
            return requireTls
                ? TlsPlan.Refuse(isPermanent: true, "5.7.10", $"The message requires TLS, and the smarthost {relay.Host} is used without", relay.Host)
                : TlsPlan.Ask(TlsRequirement.None, "none");
        }
        var requirement = relay.Verify || requireTls ? TlsRequirement.Verified : TlsRequirement.Encrypted;
        return new(new() { Requirement = requirement, Policy = "smarthost", Implicit = relay.Tls == SmarthostTls.Implicit }, null);
    }
}
