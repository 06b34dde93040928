using EventMail.Projections.Accounts;

namespace EventMail.Protocols.Sasl;

/// <summary>POP3's APOP (RFC 1939 §7): MD5 over the greeting's timestamp and the shared secret.</summary>
public static class Apop
{
    /// <summary>A msg-id for the greeting, never used before: "&lt;random.time@host&gt;".</summary>
    public static string Timestamp(string hostName) => throw new NotSupportedException();

    /// <param name="digest">32 lower-case hex digits as the client sent them.</param>
    public static ValueTask<LoginResult> LoginAsync(
        Authenticator authenticator, string timestamp, string user, string digest, LoginContext context, CancellationToken cancel) =>
        throw new NotSupportedException();
}
