using System.Net;

namespace EventMail.Host.Delivery.Routing;

/// <summary>Where a next hop's mail goes.</summary>
/// <param name="Hosts">In the order in which they are tried; empty when there is a fault.</param>
/// <param name="Fault">Why there is none.</param>
/// <param name="IsIncomplete">Hosts may be missing that could not be looked up: what those that are here refuse is not the last word.</param>
public sealed record Route(IReadOnlyList<RouteHost> Hosts, RouteFault? Fault, bool IsIncomplete)
{
    public static Route Nowhere(bool isPermanent, string enhanced, string text, string? host = null) =>
        new([], new(isPermanent, enhanced, text, host), IsIncomplete: false);
}

/// <param name="Name">As the MX record has it; the domain or the literal itself where there is none.</param>
/// <param name="MxIsAuthentic">The DNS proves that it is a host of the domain (DNSSEC); also where the domain is the host.</param>
/// <param name="AddressesAreAuthentic">The DNS proves that these are its addresses.</param>
/// <param name="Canonical">Where the CNAMEs of the domain led to, whose MX record it is; null without any.</param>
public sealed record RouteHost(
    string Name, int Preference, IReadOnlyList<IPEndPoint> Addresses, bool MxIsAuthentic, bool AddressesAreAuthentic, string? Canonical = null);

/// <param name="Enhanced">RFC 3463.</param>
/// <param name="Host">The host that it is about.</param>
public sealed record RouteFault(bool IsPermanent, string Enhanced, string Text, string? Host);
