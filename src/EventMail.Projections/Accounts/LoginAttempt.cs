namespace EventMail.Projections.Accounts;

/// <summary>What SCRAM-SHA-256 keeps of a password (RFC 5802 §3).</summary>
public sealed record ScramKeys(byte[] Salt, int Iterations, byte[] StoredKey, byte[] ServerKey);

/// <summary>
/// A login by proof instead of password (SCRAM, CRAM-MD5, APOP): what the mechanism needs to check it. For unknown users it holds
/// stand-ins that no proof fits and that look the same from outside.
/// </summary>
public sealed class LoginAttempt
{
    internal LoginAttempt(string user, LoginContext context, ScramKeys scram, byte[] secret, object? account)
    {
        User = user;
        Context = context;
        Scram = scram;
        Secret = secret;
        Account = account;
    }

    public string User { get; }

    public LoginContext Context { get; }

    public ScramKeys Scram { get; }

    /// <summary>The password in UTF-8 for CRAM-MD5 and APOP; random bytes for who has not opted in.</summary>
    public byte[] Secret { get; }

    internal object? Account { get; }
}
