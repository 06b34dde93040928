using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace EventMail.Domain.Deliveries.Notifications;

/// <summary>Addresses with their types, as they stand in a report (RFC 3464 §2.3.1, §2.3.2, RFC 6533 §3).</summary>
internal static partial class TypedAddress
{
    /// <summary>A recipient of the envelope.</summary>
    public static string Of(string address, bool utf8) =>
        FieldText.IsAscii(address) ? $"rfc822; {FieldText.Token(address, utf8: false)}"
        : $"utf-8; {Utf8Form(address, utf8)}";

    /// <summary>ORCPT, "type;address in xtext", as the report's form wants it.</summary>
    public static string OfOrcpt(string orcpt, bool utf8)
    {
        if (Type().Match(orcpt) is not { Success: true } match)
            return $"unknown; {FieldText.Token(orcpt, utf8: false)}";
        var (type, address) = (match.Groups[1].Value, orcpt[match.Length..].Trim());
        return type.Equals("utf-8", StringComparison.OrdinalIgnoreCase)
            ? $"{type}; {(Unitext(address) is { } decoded ? Utf8Form(decoded, utf8) : FieldText.Token(address, utf8))}"
            : $"{type}; {FieldText.Token(Xtext(address) ?? address, utf8: false)}";
    }

    // utf-8-address where UTF-8 may stand, utf-8-addr-xtext (the 7-bit form) elsewhere.
    private static string Utf8Form(string address, bool utf8)
    {
        if (utf8)
            return FieldText.Token(address, utf8: true);
        var text = new StringBuilder(address.Length * 2);
        foreach (var rune in address.EnumerateRunes())
        {
            // QCHAR: printable ASCII without '\', '+' and '='.
            if (rune.Value is > 0x20 and < 0x7F and not ('\\' or '+' or '='))
                text.Append(rune);
            else
                text.Append(CultureInfo.InvariantCulture, $"\\x{{{rune.Value:X2}}}");
        }
        return FieldText.Token(text.ToString(), utf8: false);
    }

    // RFC 3461 §4: "+" and two upper-case digits. Null when it is none, or says something that cannot be printed.
    private static string? Xtext(string text)
    {
        if (!text.Contains('+', StringComparison.Ordinal))
            return text;
        var decoded = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '+')
            {
                decoded.Append(text[i]);
                continue;
            }
            if (i + 2 >= text.Length
                || !int.TryParse(text.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var octet)
                || octet is < 0x20 or > 0x7E)
                return null;
            decoded.Append((char)octet);
            i += 2;
        }
        return decoded.ToString();
    }

    // RFC 6533 §3: \x{HEXPOINT}. Null when it does not follow the syntax: such an address is not altered.
    private static string? Unitext(string text)
    {
        var decoded = new StringBuilder(text.Length);
        for (var at = 0; at < text.Length;)
        {
            if (text[at] != '\\')
            {
                decoded.Append(text[at++]);
                continue;
            }
            var close = text.IndexOf('}', at);
            if (close < 0 || string.CompareOrdinal(text, at, "\\x{", 0, 3) != 0 || close - at - 3 is < 2 or > 6
                || !int.TryParse(text.AsSpan(at + 3, close - at - 3), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var point)
                || !Rune.IsValid(point))
                return null;
            decoded.Append(new Rune(point));
            at = close + 1;
        }
        return decoded.ToString();
    }

    [GeneratedRegex(@"\A([A-Za-z0-9-]{1,40})\s*;", RegexOptions.ECMAScript)]
    private static partial Regex Type();
}
