using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace EventMail.Protocols.Smtp.Syntax;

/// <summary>The character classes of RFC 5321 §4.1.2. Bytes above 127 are UTF-8, legal only with SMTPUTF8 (RFC 6531 §3.3).</summary>
internal static class SmtpChars
{
    private static readonly SearchValues<byte> AtextAscii =
        SearchValues.Create("!#$%&'*+-/0123456789=?ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz{|}~"u8);

    // The underscore is no letter of host names (RFC 5321 §2.3.5), but real senders have it in theirs.
    private static readonly SearchValues<byte> DomainAscii =
        SearchValues.Create("-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"u8);

    // What a client may call itself and what goes into Received as it is: no blank, no comment, no control character.
    private static readonly SearchValues<byte> GreetingName =
        SearchValues.Create("-.:0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ[]_abcdefghijklmnopqrstuvwxyz"u8);

    public static bool IsAtext(byte c) => c > 127 || AtextAscii.Contains(c);

    public static bool IsDomainChar(byte c) => c > 127 || DomainAscii.Contains(c);

    /// <summary>A host name or an address literal, checked for its characters only: RFC 5321 §4.1.4 forbids to be strict here.</summary>
    public static bool IsGreetingName(ReadOnlySpan<byte> name) =>
        name.Length is > 0 and <= 255 && !name.ContainsAnyExcept(GreetingName);

    /// <param name="literal">Without the brackets.</param>
    public static bool IsAddressLiteral(ReadOnlySpan<byte> literal)
    {
        if (!Ascii.IsValid(literal))
            return false;
        var text = Encoding.ASCII.GetString(literal);
        if (text.StartsWith("IPv6:", StringComparison.OrdinalIgnoreCase))
            return !text.Contains('%', StringComparison.Ordinal) && IPAddress.TryParse(text.AsSpan(5), out var v6) && v6.AddressFamily == AddressFamily.InterNetworkV6;
        // Four numbers: IPAddress alone would also take "1" and "0x7f.1".
        return text.Count(c => c == '.') == 3 && text.All(c => c == '.' || char.IsAsciiDigit(c))
            && IPAddress.TryParse(text, out var v4) && v4.AddressFamily == AddressFamily.InterNetwork;
    }

    /// <summary>A control character in a command line: never legal, and the door to log and header forgery.</summary>
    public static bool HasControl(ReadOnlySpan<byte> line) => line.ContainsAnyInRange((byte)0, (byte)31) || line.Contains((byte)127);
}
