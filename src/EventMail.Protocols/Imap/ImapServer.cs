using EventMail.Protocols.Wire;

namespace EventMail.Protocols.Imap;

/// <summary>IMAP4rev1 (RFC 3501) with the extensions that <see cref="Capabilities"/> lists.</summary>
public static class ImapServer
{
    /// <summary>Serves one connection to its end; with implicit TLS the handshake is done already.</summary>
    /// <param name="stopping">The server stops: the command in progress is finished, then the client is told BYE.</param>
    public static async Task ServeAsync(MailConnection connection, ImapServices services, CancellationToken stopping)
    {
        await using var stop = stopping.UnsafeRegister(static state => ((MailConnection)state!).Stop(), connection);
        await new ImapSession(connection, services).RunAsync().ConfigureAwait(false);
    }
}
