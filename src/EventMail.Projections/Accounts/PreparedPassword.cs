using System.Text;
using EventMail.Domain.Accounts;

namespace EventMail.Projections.Accounts;

/// <summary>
/// A password as it is hashed: SASLprep's form where it has one (RFC 4616 §2, RFC 5802 §5.1), so that it is the same whichever
/// mechanism brings it; else the bytes as they came.
/// </summary>
internal static class PreparedPassword
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    /// <summary>Null for what no account can have as a password: empty or too long.</summary>
    public static byte[]? Of(ReadOnlySpan<byte> password)
    {
        if (password.Length is 0 or > AccountLimits.Password)
            return null;
        if (Ascii.IsValid(password))
            return password.ToArray();
        try
        {
            return SaslPrep.TryPrepare(Strict.GetString(password), SaslPrepUse.Stored, out var prepared) && prepared.Length > 0
                ? Strict.GetBytes(prepared)
                : password.ToArray();
        }
        catch (DecoderFallbackException)
        {
            return password.ToArray();
        }
    }

    public static byte[]? Of(string password) => Of(Encoding.UTF8.GetBytes(password));
}
