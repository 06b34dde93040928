using System.Net.Security;

namespace EventMail.Protocols.Wire;

/// <summary>How TLS is answered: the host picks certificates by SNI and reloads them without restart.</summary>
/// <param name="Select">Called for every handshake, with the ClientHello.</param>
public sealed record ServerTls(ServerOptionsSelectionCallback Select);

public enum TlsUpgrade
{
    Done,
    NotOffered,
    PlaintextBuffered,
}
