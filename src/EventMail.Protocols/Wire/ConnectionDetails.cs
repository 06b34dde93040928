using System.Net;

namespace EventMail.Protocols.Wire;

/// <summary>Who is connected, to which listener.</summary>
/// <param name="Id">connection_id in logs and events.</param>
/// <param name="Listener">The listener's name in the ready line: smtp, lmtp, submission, submissions, imap, imaps, pop3, pop3s.</param>
/// <param name="AllowPlaintextLogin">Auth:AllowPlaintextOnLoopback; matters for loopback clients only.</param>
public sealed record ConnectionDetails(string Id, string Listener, IPEndPoint Local, IPEndPoint Remote, bool AllowPlaintextLogin = false)
{
    /// <summary>Clients of other machines may do so as well: capture mode, where passwords are nobody's.</summary>
    public bool PlaintextFromAnywhere { get; init; }

    /// <summary>The client's address, IPv4 also when it came over a dual-stack socket.</summary>
    public IPAddress ClientAddress { get; } = Plain(Remote.Address);

    /// <summary>The address that the client connected to, likewise.</summary>
    public IPAddress LocalAddress => Plain(Local.Address);

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
