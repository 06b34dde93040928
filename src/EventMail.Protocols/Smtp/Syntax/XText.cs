using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace EventMail.Protocols.Smtp.Syntax;

/// <summary>xtext (RFC 3461 §4): printable ASCII in a parameter's value.</summary>
internal static class XText
{
    /// <summary>
    /// xtext = *( xchar / hexchar ); xchar = any ASCII CHAR between "!" and "~" except "+" and "="; hexchar = "+" and two upper-case
    /// hexadecimal digits. False also for what stands for something other than printable ASCII and blanks (§4.2, §4.4).
    /// </summary>
    public static bool TryDecode(ReadOnlySpan<byte> value, [NotNullWhen(true)] out string? text)
    {
        text = null;
        var plain = new StringBuilder(value.Length);
        for (var i = 0; i < value.Length; i++)
        {
            int c = value[i];
            if (c == '+')
            {
                if (i + 2 >= value.Length || (c = Hex(value[i + 1]) << 4 | Hex(value[i + 2])) < 0)
                    return false;
                i += 2;
            }
            else if (c is <= ' ' or '=' or > '~')
            {
                return false;
            }

            if (c is < ' ' or > '~')
                return false;
            plain.Append((char)c);
        }

        text = plain.ToString();
        return true;
    }

    /// <summary>Printable ASCII and blanks, so that it fits into a value.</summary>
    public static string Encode(string text)
    {
        var value = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            _ = c is > ' ' and <= '~' and not ('+' or '=')
                ? value.Append(c)
                : value.Append(CultureInfo.InvariantCulture, $"+{(int)c:X2}");
        }

        return value.ToString();
    }

    // Negative for what is no upper-case digit, also behind the shift.
    private static int Hex(byte c) => c switch
    {
        >= (byte)'0' and <= (byte)'9' => c - '0',
        >= (byte)'A' and <= (byte)'F' => c - 'A' + 10,
        _ => -1,
    };
}
