using System.Security.Authentication;
using EventMail.Protocols.Wire;

namespace EventMail.Protocols.Smtp.Commands;

/// <summary>STARTTLS (RFC 3207).</summary>
internal static class StartTls
{
    public static async ValueTask<SmtpReply?> RunAsync(SmtpSession session)
    {
        var connection = session.Connection;
        if (connection.IsTls)
            return SmtpReplies.TlsAlready;
        if (connection.Tls is null)
            return SmtpReplies.NoTlsHere;
        try
        {
            if (await connection.StartTlsAsync(SmtpReplies.ReadyForTls.Bytes, session.Stopping) == TlsUpgrade.PlaintextBuffered)
            {
                session.End();
                return SmtpReplies.PipelinedTls;
            }
        }
        catch (Exception e) when (e is IOException or AuthenticationException or OperationCanceledException)
        {
            session.Services.Log.HandshakeFailed(e, session.ConnectionId, session.Id, session.ClientIp);
            session.End();
            return null;
        }

        connection.Trace?.Sent(SmtpReplies.ReadyForTls.Bytes.Span);
        var tls = connection.Ssl!;
        session.Services.Log.TlsStarted(session.ConnectionId, session.Id, session.ClientIp, tls.NegotiatedCipherSuite, tls.SslProtocol);
        await session.ForgetAsync();
        return null;
    }
}
