namespace EventMail.Domain.Accounts;

// The events of login streams: one stream per account; attempts for names that are no account's go to one stream per UTC day.

/// <param name="Protocol">imap, pop3, smtp.</param>
/// <param name="Mechanism">PLAIN, SCRAM-SHA-256, APOP …</param>
/// <param name="Client">IP address.</param>
/// <param name="AppPassword">The id of the app password that was used, or null.</param>
public sealed record LoginSucceeded(string Protocol, string Mechanism, string Client, bool Tls, string? AppPassword);

/// <param name="User">The name as given, without control characters, at most 128 characters.</param>
/// <param name="Reason">One of <see cref="LoginFailure"/>.</param>
public sealed record LoginFailed(string User, string Protocol, string Mechanism, string Client, bool Tls, string Reason);

/// <summary>
/// Failures went past a limit: for a while nothing is tried any more. One event per episode; attempts that are turned away
/// meanwhile are only logged.
/// </summary>
/// <param name="Scope">"address" or "account".</param>
/// <param name="Source">The client's IPv4 address or IPv6 /64 prefix.</param>
/// <param name="User">The name of the last attempt, as in <see cref="LoginFailed"/>.</param>
/// <param name="Failures">How many there were within <paramref name="WindowSeconds"/>.</param>
public sealed record LoginThrottled(
    string Scope, string Source, string User, string Protocol, int Failures, int WindowSeconds, int LockoutSeconds);

public static class LoginFailure
{
    public const string UnknownUser = "unknown_user";
    public const string WrongPassword = "wrong_password";
    public const string Suspended = "suspended";
    public const string NotAuthorized = "not_authorized";
}
