using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using EventMail.Projections.Accounts;

namespace EventMail.Protocols.Sasl;

/// <summary>POP3's APOP (RFC 1939 §7): MD5 over the greeting's timestamp and the shared secret.</summary>
public static class Apop
{
    /// <summary>A msg-id for the greeting, never used before: "&lt;random.time@host&gt;".</summary>
    public static string Timestamp(string hostName) =>
        $"<{RandomNumberGenerator.GetHexString(16, lowercase: true)}.{DateTimeOffset.UtcNow.ToUnixTimeSeconds()}@{hostName}>";

    /// <param name="digest">32 lower-case hex digits as the client sent them.</param>
    public static async ValueTask<LoginResult> LoginAsync(
        Authenticator authenticator, string timestamp, string user, string digest, LoginContext context, CancellationToken cancel)
    {
        var attempt = await authenticator.BeginAsync(user, context, cancel).ConfigureAwait(false);
        return await authenticator.FinishAsync(attempt, a => Matches(a.Secret, timestamp, digest), cancel).ConfigureAwait(false);
    }

    [SuppressMessage("Security", "CA5351", Justification = "RFC 1939 §7 prescribes MD5; accounts opt in to it.")]
    private static bool Matches(byte[] secret, string timestamp, string digest)
    {
        var expected = MD5.HashData([.. Encoding.ASCII.GetBytes(timestamp), .. secret]);
        return CryptographicOperations.FixedTimeEquals(
            Encoding.ASCII.GetBytes(Convert.ToHexStringLower(expected)), Encoding.ASCII.GetBytes(digest));
    }
}
