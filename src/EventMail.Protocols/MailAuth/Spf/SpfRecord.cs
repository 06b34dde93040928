using System.Net;

namespace EventMail.Protocols.MailAuth.Spf;

internal enum SpfMechanism
{
    All,
    Include,
    A,
    Mx,
    Ptr,
    Ip4,
    Ip6,
    Exists,
}

/// <summary>A directive: what follows when its mechanism matches (RFC 7208 §4.6.2).</summary>
/// <param name="Target">Null: the domain that is being checked.</param>
/// <param name="Network">Of ip4 and ip6.</param>
/// <param name="Prefix4">How many bits of an IPv4 address count.</param>
/// <param name="Prefix6">How many bits of an IPv6 address count.</param>
internal sealed record SpfDirective(
    SpfResult Result, SpfMechanism Mechanism, MacroString? Target = null, IPAddress? Network = null, int Prefix4 = 32, int Prefix6 = 128)
{
    /// <summary>It asks the DNS and counts towards the limit (RFC 7208 §4.6.4).</summary>
    public bool LooksUp => Mechanism is not (SpfMechanism.All or SpfMechanism.Ip4 or SpfMechanism.Ip6);
}

/// <summary>A domain's policy, its syntax checked throughout (RFC 7208 §4.6).</summary>
internal sealed record SpfRecord(IReadOnlyList<SpfDirective> Directives, MacroString? Redirect, MacroString? Explanation);
