using System.Text;
using EventMail.Protocols.Sasl;

namespace EventMail.Protocols.Imap;

/// <summary>CAPABILITY (RFC 3501 §6.1.1): what works here and now.</summary>
internal static class Capabilities
{
    // SASL-IR: RFC 4959. LITERAL+: RFC 7888. ID: RFC 2971. ENABLE: RFC 5161.
    private const string Always = "SASL-IR LITERAL+ ID ENABLE";

    // IDLE: RFC 2177. UIDPLUS: RFC 4315. NAMESPACE: RFC 2342. SPECIAL-USE: RFC 6154. CHILDREN: RFC 3348. UNSELECT: RFC 3691. MOVE: RFC 6851.
    private const string AfterLogin = "IDLE UIDPLUS NAMESPACE SPECIAL-USE CREATE-SPECIAL-USE CHILDREN UNSELECT MOVE";

    public static string Of(ImapSession session)
    {
        var result = new StringBuilder("IMAP4rev1 ");
        if (session.User is not null)
            return result.Append(Always).Append(' ').Append(AfterLogin).ToString();

        var connection = session.Connection;
        if (connection is { Tls: not null, IsTls: false })
            result.Append("STARTTLS ");
        // RFC 3501 §6.2.3: LOGINDISABLED where LOGIN would be refused.
        if (!connection.MaySendPassword)
            result.Append("LOGINDISABLED ");
        result.Append(Always);
        foreach (var mechanism in SaslServer.Offered(connection, session.Services.Authenticator))
            result.Append(" AUTH=").Append(mechanism);
        return result.ToString();
    }
}
