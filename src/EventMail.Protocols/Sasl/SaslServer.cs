using EventMail.Projections.Accounts;
using EventMail.Protocols.Wire;

namespace EventMail.Protocols.Sasl;

/// <summary>Which mechanisms a connection may use, and their beginnings.</summary>
public static class SaslServer
{
    private sealed record Mechanism(
        string Name,
        Func<MailConnection, Authenticator, bool> IsOffered,
        Func<MailConnection, Authenticator, LoginContext, SaslExchange> Begin);

    // Strongest first: some clients take the first that they know.
    private static readonly Mechanism[] Mechanisms =
    [
        new(ScramExchange.Sha256Plus, static (c, a) => a.OffersScram && ChannelBindings.AnyOf(c), static (c, a, l) => new ScramExchange(a, l, c)),
        // RFC 5802 §6, RFC 7677 §4: a channel binding is worth more than the better hash, which guards the stored keys only.
        new(ScramExchange.Sha1Plus, static (c, a) => a.OffersScramSha1 && ChannelBindings.AnyOf(c), static (c, a, l) => new ScramExchange(a, l, c)),
        new(ScramExchange.Sha256, static (_, a) => a.OffersScram, static (c, a, l) => new ScramExchange(a, l, c)),
        new(ScramExchange.Sha1, static (_, a) => a.OffersScramSha1, static (c, a, l) => new ScramExchange(a, l, c)),
        new(OAuthExchange.Bearer, static (_, a) => a.OffersTokens, static (_, a, l) => new OAuthExchange(a, l)),
        new(OAuthExchange.XOAuth2, static (_, a) => a.OffersTokens, static (_, a, l) => new OAuthExchange(a, l)),
        new("PLAIN", static (_, _) => true, static (_, a, l) => new PlainExchange(a, l)),
        new("LOGIN", static (_, _) => true, static (_, a, l) => new LoginExchange(a, l)),
        // Only accounts that opted in can use it, and only while there is one is it worth a client's try.
        new("CRAM-MD5", static (_, a) => a.OffersSharedSecrets, static (c, a, l) => new CramMd5Exchange(a, l, c)),
    ];

    /// <summary>
    /// The mechanisms on offer, strongest first; none where no password may cross (no TLS), and CRAM-MD5 only while some account
    /// has opted in to it.
    /// </summary>
    public static IReadOnlyList<string> Offered(MailConnection connection, Authenticator authenticator)
    {
        var names = new List<string>(Mechanisms.Length);
        foreach (var mechanism in Mechanisms)
        {
            if (IsOffered(mechanism, connection, authenticator))
            {
                names.Add(mechanism.Name);
            }
        }

        return names;
    }

    /// <summary>Begins a mechanism (any case), or null when it is not on offer here.</summary>
    /// <param name="context">Its Mechanism is filled in.</param>
    public static SaslExchange? Start(string mechanism, MailConnection connection, Authenticator authenticator, LoginContext context)
    {
        foreach (var known in Mechanisms)
        {
            if (known.Name.Equals(mechanism, StringComparison.OrdinalIgnoreCase) && IsOffered(known, connection, authenticator))
            {
                return known.Begin(connection, authenticator, context with { Mechanism = known.Name });
            }
        }

        return null;
    }

    private static bool IsOffered(Mechanism mechanism, MailConnection connection, Authenticator authenticator) =>
        connection.MaySendPassword && mechanism.IsOffered(connection, authenticator);
}
