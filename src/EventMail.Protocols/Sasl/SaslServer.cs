using EventMail.Projections.Accounts;
using EventMail.Protocols.Wire;

namespace EventMail.Protocols.Sasl;

/// <summary>Which mechanisms a connection may use, and their beginnings.</summary>
public static class SaslServer
{
    /// <summary>
    /// The mechanisms on offer, strongest first; none where no password may cross (no TLS), and CRAM-MD5 only while some account
    /// has opted in to it.
    /// </summary>
    public static IReadOnlyList<string> Offered(MailConnection connection, Authenticator authenticator) => throw new NotSupportedException();

    /// <summary>Begins a mechanism (any case), or null when it is not on offer here.</summary>
    /// <param name="context">Its Mechanism is filled in.</param>
    public static SaslExchange? Start(string mechanism, MailConnection connection, Authenticator authenticator, LoginContext context) =>
        throw new NotSupportedException();
}
