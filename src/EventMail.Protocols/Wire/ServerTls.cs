using System.Net.Security;

namespace EventMail.Protocols.Wire;

/// <summary>How TLS is answered: the host picks certificates by SNI and reloads them without restart.</summary>
/// <param name="Select">Called for every handshake, with the ClientHello.</param>
/// <param name="CipherSuites">
/// Who negotiates another one is refused when the handshake is over, before anything is said inside; null takes all that the
/// system offers. A CipherSuitesPolicy would refuse earlier, but costs a TLS context of its own (20 KiB) for each connection and
/// with it the resumption of sessions.
/// </param>
public sealed record ServerTls(ServerOptionsSelectionCallback Select, IReadOnlySet<TlsCipherSuite>? CipherSuites = null);

public enum TlsUpgrade
{
    Done,
    NotOffered,
    PlaintextBuffered,
}
