using System.Net;
using System.Net.Sockets;
using EventMail.Host.Configuration;

namespace EventMail.Host.Delivery.Routing;

/// <summary>What a recipient's domain is delivered to. Mail with the same <see cref="Key"/> shares limits, pauses and fate.</summary>
public abstract record NextHop(string Key);

/// <summary>The hosts that the DNS names.</summary>
public sealed record DomainNextHop(string Domain) : NextHop(Domain);

/// <summary>One address: `user@[192.0.2.1]` (RFC 5321 §4.1.3).</summary>
public sealed record LiteralNextHop(string Literal, IPAddress Address) : NextHop(Literal);

public sealed record SmarthostNextHop(SmarthostSettings Smarthost) : NextHop($"smarthost {Smarthost.Host}:{Smarthost.Port}");

/// <summary>An address literal of a kind that nobody can be connected by.</summary>
public sealed record UnknownNextHop(string Literal) : NextHop(Literal);

/// <summary>Which next hop a domain has, by the settings. Thread-safe.</summary>
public sealed class NextHopTable
{
    /// <summary>As a smarthost's name: where the DNS says.</summary>
    public const string NoSmarthost = "none";

    private readonly SmarthostNextHop? _all;
    private readonly Dictionary<string, SmarthostNextHop?> _byDomain = new(StringComparer.OrdinalIgnoreCase);

    public NextHopTable(DeliverySettings settings)
    {
        _all = Of(settings.Smarthost);
        foreach (var (domain, smarthost) in settings.Smarthosts)
            _byDomain[domain.ToLowerInvariant()] = Of(smarthost);
    }

    /// <param name="domain">Lower-case A-labels, or an address literal in its brackets.</param>
    public NextHop For(string domain)
    {
        var relayed = _byDomain.TryGetValue(domain, out var named) ? named : _all;
        if (relayed is not null)
            return relayed;
        if (!domain.StartsWith('['))
            return new DomainNextHop(domain);
        return AddressIn(domain) is { } address ? new LiteralNextHop(domain, address) : new UnknownNextHop(domain);
    }

    /// <summary>The smarthost of all domains that are not named; null where there is none.</summary>
    public NextHop? TakesAll => _all;

    /// <summary>The named domains that do not go by <see cref="TakesAll"/>, and whose next hop is none of these.</summary>
    public IEnumerable<string> ExceptionsBeside(IReadOnlyCollection<string> keys)
    {
        foreach (var (domain, hop) in _byDomain)
        {
            var key = hop?.Key ?? domain;
            if (key != _all?.Key && !keys.Contains(key))
                yield return domain;
        }
    }

    /// <summary>The domains of these next hops, as far as they can be named.</summary>
    public IEnumerable<string> DomainsOf(IReadOnlyCollection<string> keys)
    {
        foreach (var key in keys)
        {
            var relayed = false;
            foreach (var (domain, hop) in _byDomain)
            {
                if (hop?.Key != key)
                    continue;
                relayed = true;
                yield return domain;
            }
            if (!relayed)
                yield return key;
        }
    }

    private static SmarthostNextHop? Of(SmarthostSettings smarthost) =>
        smarthost.Host.Length == 0 || smarthost.Host.Equals(NoSmarthost, StringComparison.OrdinalIgnoreCase) ? null : new(smarthost);

    // RFC 5321 §4.1.3: IPv4-address-literal, IPv6-address-literal; no other kind has been standardized.
    private static IPAddress? AddressIn(string literal)
    {
        const string sixTag = "IPv6:";
        var inner = literal.Trim('[', ']');
        var isSix = inner.StartsWith(sixTag, StringComparison.OrdinalIgnoreCase);
        if (!IPAddress.TryParse(isSix ? inner[sixTag.Length..] : inner, out var address))
            return null;
        // The framework takes "1" and "0x7f.1" for IPv4 addresses, and a zone behind one of IPv6.
        return isSix
            ? address is { AddressFamily: AddressFamily.InterNetworkV6, ScopeId: 0 } ? address : null
            : address.AddressFamily == AddressFamily.InterNetwork && address.ToString() == inner ? address : null;
    }
}
