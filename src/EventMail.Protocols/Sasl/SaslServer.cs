using EventMail.Projections.Accounts;
using EventMail.Protocols.Wire;

namespace EventMail.Protocols.Sasl;

/// <summary>Which mechanisms a connection may use, and their beginnings.</summary>
public static class SaslServer
{
    private static readonly IReadOnlyList<string> Passwords = ["PLAIN", "LOGIN"];

    /// <summary>The mechanisms on offer, strongest first; none where no password may cross (no TLS).</summary>
    public static IReadOnlyList<string> Offered(MailConnection connection, Authenticator authenticator) =>
        connection.MaySendPassword ? Passwords : [];

    /// <summary>Begins a mechanism (any case), or null when it is not on offer here.</summary>
    /// <param name="context">Its Mechanism is filled in.</param>
    public static SaslExchange? Start(string mechanism, MailConnection connection, Authenticator authenticator, LoginContext context)
    {
        var name = mechanism.ToUpperInvariant();
        return !Offered(connection, authenticator).Contains(name) ? null
            : name == "PLAIN" ? new PlainExchange(authenticator, context with { Mechanism = name })
            : new LoginExchange(authenticator, context with { Mechanism = name });
    }
}
