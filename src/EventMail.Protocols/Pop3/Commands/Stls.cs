using System.Security.Authentication;
using EventMail.Protocols.Wire;

namespace EventMail.Protocols.Pop3.Commands;

/// <summary>RFC 2595 §4.</summary>
internal static class Stls
{
    private static readonly ReadOnlyMemory<byte> GoAhead = "+OK Begin TLS negotiation\r\n"u8.ToArray();

    public static async ValueTask RunAsync(Pop3Session session, Pop3Arguments arguments)
    {
        var connection = session.Connection;
        if (connection.IsTls || connection.Tls is null)
        {
            session.Err(connection.IsTls ? "TLS is active already" : "TLS is not on offer");
            return;
        }

        if (session.Utf8Mode)
        {
            // RFC 6856 §2.1: clients must not.
            session.Err("STLS must come before UTF8");
            return;
        }

        // RFC 2595 §2.4: nothing that was said before TLS counts after it.
        session.User = null;
        try
        {
            if (await connection.StartTlsAsync(GoAhead, CancellationToken.None) == TlsUpgrade.PlaintextBuffered)
            {
                session.Log.PlaintextInjected();
                session.Err("Nothing may follow STLS before the handshake");
                session.End();
                return;
            }
        }
        catch (Exception error) when (error is IOException or AuthenticationException or OperationCanceledException)
        {
            session.Log.HandshakeFailed(error);
            session.End();
            return;
        }

        session.Log.TlsStarted(connection.Ssl!.SslProtocol, connection.Ssl.NegotiatedCipherSuite);
    }
}
