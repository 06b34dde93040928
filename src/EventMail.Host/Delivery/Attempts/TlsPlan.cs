using EventMail.Host.Delivery.Routing;
using EventMail.Protocols.Smtp.Client;

namespace EventMail.Host.Delivery.Attempts;

/// <summary>What is asked of a host's TLS, or why nothing is sent there.</summary>
/// <param name="Tested">A policy that is being tested asks for a good certificate: who has none is told of in the log (RFC 8461 §5).</param>
internal sealed record TlsPlan(ClientTls Tls, RouteFault? Refusal, bool Tested = false)
{
    public static TlsPlan Ask(TlsRequirement requirement, string policy) => new(new() { Requirement = requirement, Policy = policy }, null);

    public static TlsPlan Refuse(bool isPermanent, string enhanced, string text, string host) =>
        new(ClientTls.Opportunistic, new(isPermanent, enhanced, text, host));
}
