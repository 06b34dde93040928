using System.Text;
using EventMail.Protocols.Sasl;

namespace EventMail.Protocols.Pop3.Commands;

/// <summary>SASL (RFC 5034). Without a mechanism it lists them, which clients older than CAPA ask for.</summary>
internal static class Auth
{
    public static async ValueTask RunAsync(Pop3Session session, Pop3Arguments arguments)
    {
        session.User = null;
        var (mechanism, initialResponse) = Split(arguments.Text);
        if (mechanism.Length == 0)
        {
            session.BeginLines("Mechanisms follow");
            foreach (var offered in SaslServer.Offered(session.Connection, session.Services.Authenticator))
            {
                session.Line(offered);
            }

            session.EndLines();
            return;
        }

        var exchange = SaslServer.Start(mechanism, session.Connection, session.Services.Authenticator, session.LoginContext(mechanism));
        if (exchange is null)
        {
            session.Err(session.Connection.MaySendPassword ? "No such mechanism" : "That mechanism is not on offer here, give STLS first");
            return;
        }

        var outcome = await SaslFraming.RunAsync(
            session.Connection, exchange, initialResponse, SaslFraming.ImapAndPop3, session.Patience, CancellationToken.None);
        switch (outcome.End)
        {
            case SaslEnd.Done:
                await Login.AnswerAsync(session, outcome.Result, exchange.Mechanism, null);
                break;
            case SaslEnd.Cancelled:
                // RFC 5034 §4
                session.Err("Authentication cancelled");
                break;
            case SaslEnd.Malformed or SaslEnd.LineTooLong:
                session.Rubbish("That is not base64, or not what the mechanism says");
                break;
            case SaslEnd.Stopping:
                session.Err("[SYS/TEMP] The server is shutting down");
                session.End();
                break;
            default:
                session.End();
                break;
        }
    }

    private static (string Mechanism, ReadOnlyMemory<byte>? InitialResponse) Split(ReadOnlyMemory<byte> text)
    {
        var rest = text.Span;
        var mechanism = Encoding.ASCII.GetString(Pop3Arguments.TakeWord(ref rest));
        rest = rest.TrimEnd((byte)' ');
        // Copied: the framing reads on while it needs this.
        return (mechanism, rest.IsEmpty ? (ReadOnlyMemory<byte>?)null : rest.ToArray());
    }
}
