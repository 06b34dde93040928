using EventMail.Testing;

namespace EventMail.Protocols.Tests.Dns;

/// <summary>Needs a real DNS server; skipped, and counted so, where none is installed.</summary>
public sealed class DnsFactAttribute : FactAttribute
{
    public DnsFactAttribute() => Skip = DnsServer.Missing;
}

/// <summary>The same with signed zones.</summary>
public sealed class SignedDnsFactAttribute : FactAttribute
{
    public SignedDnsFactAttribute() => Skip = DnsServer.MissingForSigned;
}
