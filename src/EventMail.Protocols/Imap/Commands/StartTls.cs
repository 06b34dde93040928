using System.Security.Authentication;
using System.Text;
using EventMail.Protocols.Imap.Responses;
using EventMail.Protocols.Wire;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>RFC 3501 §6.2.1.</summary>
internal static class StartTls
{
    public static async ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        if (Check(session, command) is { } refused)
            return refused;
        await session.Writer.FlushAsync().ConfigureAwait(false);
        var goAhead = Encoding.ASCII.GetBytes($"{command.Tag} OK Begin TLS negotiation now\r\n");
        try
        {
            switch (await session.Connection.StartTlsAsync(goAhead, session.Cancel).ConfigureAwait(false))
            {
                case TlsUpgrade.Done:
                    session.Services.Log.TlsStarted(session.Connection);
                    return Reply.Sent;
                case TlsUpgrade.PlaintextBuffered:
                    // RFC 9051 §11.3: what was sent ahead of the handshake was perhaps put there by somebody else.
                    session.Bye("Plaintext behind STARTTLS");
                    return Reply.Close;
                default:
                    return Reply.No("TLS is not available");
            }
        }
        catch (Exception error) when (error is IOException or AuthenticationException or OperationCanceledException)
        {
            // Half a handshake: there is no layer left to say anything over.
            session.Services.Log.HandshakeFailed(error, session.Connection);
            session.Connection.Abort();
            return Reply.Close;
        }
    }

    private static Reply? Check(ImapSession session, ImapCommand command)
    {
        var arguments = command.Arguments;
        if (!arguments.ExpectEnd())
            return Reply.Bad(arguments.Error!);
        return session.Connection.IsTls ? Reply.Bad("TLS is active already")
            : session.Connection.Tls is null ? Reply.No("TLS is not available") : null;
    }
}
