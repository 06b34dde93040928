namespace EventMail.Host.Configuration;

/// <summary>Whom the server asks for names.</summary>
public sealed record DnsSettings
{
    /// <summary>The resolvers' addresses, `127.0.0.1` or `[::1]:5353`, separated by blanks; those of /etc/resolv.conf when empty.</summary>
    public string Servers { get; init; } = "";

    /// <summary>For one resolver's answer.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Believes the resolvers when they say that an answer is authentic (DNSSEC); DANE needs it. On when all of them are on this machine;
    /// for others only where the way to them is safe.
    /// </summary>
    public DnsTrust TrustAuthenticData { get; init; } = DnsTrust.Loopback;
}

public enum DnsTrust
{
    Never,
    Loopback,
    Always,
}
