using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace EventMail.Protocols.Sasl;

internal static class SaslText
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    /// <summary>SASL's strings are UTF-8 (RFC 4422 §3.6): false for bytes that are not.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out string? text)
    {
        try
        {
            text = Strict.GetString(bytes);
            return true;
        }
        catch (DecoderFallbackException)
        {
            text = null;
            return false;
        }
    }

    /// <summary>saslname (RFC 5801 §4): "," is =2C, "=" is =3D, and "=" stands nowhere else.</summary>
    public static bool TryUnescapeName(string name, out string text)
    {
        text = name.Replace("=2C", ",").Replace("=3D", "=");
        return name.Replace("=2C", "").Replace("=3D", "").IndexOfAny(['=', '\0']) < 0;
    }

    /// <summary>Acting for somebody else is not offered: the authorization identity is empty or the user again.</summary>
    public static bool IsSelf(string authorization, string user) =>
        authorization.Length == 0 || authorization.Equals(user, StringComparison.OrdinalIgnoreCase);
}
