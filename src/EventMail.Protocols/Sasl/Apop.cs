using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using EventMail.Projections.Accounts;

namespace EventMail.Protocols.Sasl;

/// <summary>POP3's APOP (RFC 1939 §7): MD5 over the greeting's timestamp and the shared secret.</summary>
public static class Apop
{
    /// <summary>A msg-id for the greeting, never used before: "&lt;random.time@host&gt;".</summary>
    public static string Timestamp(string hostName) => string.Create(
        CultureInfo.InvariantCulture,
        $"<{RandomNumberGenerator.GetHexString(24, lowercase: true)}.{DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()}@{Host(hostName)}>");

    /// <param name="digest">32 lower-case hex digits as the client sent them.</param>
    public static async ValueTask<LoginResult> LoginAsync(
        Authenticator authenticator, string timestamp, string user, string digest, LoginContext context, CancellationToken cancel)
    {
        var attempt = await authenticator.BeginAsync(user, context, cancel).ConfigureAwait(false);
        return await authenticator.FinishAsync(attempt, a => IsRight(digest, timestamp, a.Secret), cancel).ConfigureAwait(false);
    }

    internal static bool IsRight(string digest, string timestamp, ReadOnlySpan<byte> secret)
    {
        byte[] message = [.. Encoding.ASCII.GetBytes(timestamp), .. secret];
        return CryptographicOperations.FixedTimeEquals(
            Encoding.ASCII.GetBytes(digest), CramMd5Exchange.Hex(MD5.HashData(message)));
    }

    // An IPv6 address has characters that a msg-id must not have outside of a literal.
    private static string Host(string name) => name.Contains(':') ? $"[IPv6:{name}]" : name;
}
