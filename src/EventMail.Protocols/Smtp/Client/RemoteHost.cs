using System.Net;

namespace EventMail.Protocols.Smtp.Client;

/// <param name="Name">The name that was looked up (an MX host, a smarthost, an address literal): what a certificate must be for.</param>
/// <param name="Address">Where to connect.</param>
public sealed record RemoteHost(string Name, IPEndPoint Address);
