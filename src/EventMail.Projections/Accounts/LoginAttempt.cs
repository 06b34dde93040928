using EventMail.Domain.Accounts;

namespace EventMail.Projections.Accounts;

/// <summary>
/// A login by proof instead of password (SCRAM, CRAM-MD5, APOP): what the mechanism needs to check it. For unknown users it holds
/// stand-ins that no proof fits and that look the same from outside.
/// </summary>
public sealed class LoginAttempt
{
    internal LoginAttempt(string user, LoginContext context, ScramKeys scram, byte[] secret, AccountState? account, long started)
    {
        User = user;
        Context = context;
        Scram = scram;
        Secret = secret;
        Account = account;
        Started = started;
    }

    public string User { get; }

    public LoginContext Context { get; }

    public ScramKeys Scram { get; }

    /// <summary>The password in UTF-8 for CRAM-MD5 and APOP; random bytes for who has not opted in.</summary>
    public byte[] Secret { get; }

    internal AccountState? Account { get; }

    /// <summary>Stopwatch.GetTimestamp() at its beginning.</summary>
    internal long Started { get; }
}
