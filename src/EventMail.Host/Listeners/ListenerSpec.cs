using EventMail.Host.Configuration;
using EventMail.Protocols.Wire;

namespace EventMail.Host.Listeners;

/// <summary>One row of the server's table of listeners.</summary>
public sealed record ListenerSpec
{
    /// <summary>As in the ready line and in logs: smtp, lmtp, submission, submissions, imap, imaps, pop3, pop3s.</summary>
    public required string Name { get; init; }

    public required ListenerSettings Settings { get; init; }

    /// <summary>TLS from the first byte; without it TLS is offered by the protocol's own command.</summary>
    public bool ImplicitTls { get; init; }

    /// <summary>How long its sessions may go on when the server stops.</summary>
    public required TimeSpan StopTimeout { get; init; }

    /// <summary>
    /// What one connection too many is told before it is closed, with its line end. On a listener with implicit TLS it is
    /// closed without a word: a handshake is what an attacker would want us to spend.
    /// </summary>
    public required ReadOnlyMemory<byte> TooManyConnections { get; init; }

    /// <summary>The same for an address (IPv6: a /64) that has as many connections as one may have.</summary>
    public required ReadOnlyMemory<byte> TooManyFromAddress { get; init; }

    /// <summary>
    /// Serves one connection to its end. With implicit TLS the handshake is done. The token fires when the server stops;
    /// <see cref="MailConnection.Stop"/> has been called by then.
    /// </summary>
    public required Func<MailConnection, CancellationToken, Task> Serve { get; init; }
}
