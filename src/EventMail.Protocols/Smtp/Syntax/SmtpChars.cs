using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;

namespace EventMail.Protocols.Smtp.Syntax;

/// <summary>The character classes of RFC 5321 §4.1.2. Bytes above 127 are UTF-8, legal only with SMTPUTF8 (RFC 6531 §3.3).</summary>
internal static class SmtpChars
{
    private static readonly SearchValues<byte> AtextAscii =
        SearchValues.Create("!#$%&'*+-/0123456789=?ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz{|}~"u8);

    // The underscore is no letter of host names (RFC 5321 §2.3.5), but real senders have it in theirs.
    private static readonly SearchValues<byte> DomainAscii =
        SearchValues.Create("-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"u8);

    private static readonly SearchValues<char> Ipv4Chars = SearchValues.Create(".0123456789");

    public static bool IsAtext(byte c) => c > 127 || AtextAscii.Contains(c);

    public static bool IsDomainChar(byte c) => c > 127 || DomainAscii.Contains(c);

    /// <summary>IPv4-address-literal or IPv6-address-literal of RFC 5321 §4.1.3.</summary>
    /// <param name="literal">Without the brackets.</param>
    public static bool TryAddressLiteral(ReadOnlySpan<char> literal, [NotNullWhen(true)] out IPAddress? address)
    {
        address = null;
        if (literal.StartsWith("IPv6:", StringComparison.OrdinalIgnoreCase))
        {
            // A scope would mean something on this host only.
            return !literal.Contains('%') && IPAddress.TryParse(literal[5..], out address)
                && address.AddressFamily == AddressFamily.InterNetworkV6;
        }

        // Four decimal numbers: IPAddress alone would also take "1" and "0x7f.1".
        return literal.Count('.') == 3 && !literal.ContainsAnyExcept(Ipv4Chars) && IPAddress.TryParse(literal, out address);
    }

    /// <summary>A control character in a command line: never legal, and the door to log and header forgery.</summary>
    public static bool HasControl(ReadOnlySpan<byte> line) => line.ContainsAnyInRange((byte)0, (byte)31) || line.Contains((byte)127);
}
