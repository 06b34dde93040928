using System.Net;

namespace EventMail.Projections.Accounts;

/// <summary>Where a login comes from, for its event, its log line and the throttle.</summary>
/// <param name="Protocol">imap, pop3, smtp.</param>
/// <param name="Mechanism">PLAIN, SCRAM-SHA-256, OAUTHBEARER …; "USER" for POP3's USER/PASS, "LOGIN" for IMAP's command and SASL's mechanism alike, "APOP".</param>
/// <param name="HeadersJson">The session's <see cref="Actor.HeadersJson"/>; null makes one of protocol and address.</param>
public sealed record LoginContext(
    IPAddress Client, string Protocol, string SessionId, string Mechanism, bool Tls, string? HeadersJson = null)
{
    /// <summary>The authorization identity is the user's own; somebody else's is refused once the user has shown who they are.</summary>
    public bool ForSelf { get; init; } = true;
}

public enum LoginStatus
{
    Ok,

    /// <summary>Unknown user or wrong secret: nobody is told which.</summary>
    BadCredentials,

    /// <summary>The secret was right, but the account is suspended.</summary>
    Suspended,

    /// <summary>The secret was right, but the user may not act as somebody else.</summary>
    NotAuthorized,

    /// <summary>A token of the issuer's that has expired.</summary>
    Expired,

    /// <summary>Too many failures from this address or for this account; the secret was not looked at.</summary>
    Throttled,

    /// <summary>What the client showed cannot be checked at the moment.</summary>
    Unavailable,
}

/// <param name="Account">Not null exactly when the status is Ok.</param>
/// <param name="Text">For the client; ASCII, one line, the same for unknown users and wrong passwords.</param>
/// <param name="RetryAfter">When throttled: how long.</param>
public readonly record struct LoginResult(LoginStatus Status, AccountEntry? Account, string Text, TimeSpan? RetryAfter);
