using System.Buffers;
using System.Globalization;
using System.Text;

namespace EventMail.Protocols.Smtp.Syntax;

/// <summary>ORCPT's value (RFC 3461 §4.2), and its type for addresses beyond ASCII (RFC 6533 §3).</summary>
internal static class OriginalRecipientText
{
    private static readonly SearchValues<byte> Atom =
        SearchValues.Create("!#$%&'*+-/0123456789=?ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz{|}~"u8);

    /// <summary>original-recipient-address = addr-type ";" xtext. The text in a form for 7-bit paths, or null when it is none.</summary>
    public static string? Read(ReadOnlySpan<byte> value)
    {
        var semicolon = value.IndexOf((byte)';');
        if (semicolon <= 0 || semicolon == value.Length - 1 || value[..semicolon].ContainsAnyExcept(Atom))
            return null;
        var type = Encoding.ASCII.GetString(value[..semicolon]);
        var address = value[(semicolon + 1)..];
        if (type.Equals("utf-8", StringComparison.OrdinalIgnoreCase))
            return TryUnquote(address, out var text) ? $"{type};{Quote(text)}" : null;
        return XText.TryDecode(address, out _) ? $"{type};{Encoding.ASCII.GetString(address)}" : null;
    }

    // utf-8-addr-unitext = 1*(QUCHAR / EmbeddedUnicodeChar); QUCHAR = printable ASCII but "+", "\" and "=", or beyond ASCII.
    private static bool TryUnquote(ReadOnlySpan<byte> address, out string text)
    {
        text = "";
        var plain = new StringBuilder(address.Length);
        while (!address.IsEmpty)
        {
            if (address[0] == (byte)'\\')
            {
                if (!TryEmbedded(ref address, out var embedded))
                    return false;
                plain.Append(embedded.ToString());
                continue;
            }

            if (Rune.DecodeFromUtf8(address, out var rune, out var length) != OperationStatus.Done
                || rune.Value is <= ' ' or '+' or '=' or 127 || Rune.IsControl(rune))
                return false;
            plain.Append(rune.ToString());
            address = address[length..];
        }

        text = plain.ToString();
        return true;
    }

    // EmbeddedUnicodeChar = "\x" "{" HEXPOINT "}"; HEXPOINT = 2 to 6 upper-case digits without leading zeros beyond the second.
    private static bool TryEmbedded(ref ReadOnlySpan<byte> address, out Rune rune)
    {
        rune = default;
        var close = address.IndexOf((byte)'}');
        if (!address.StartsWith("\\x{"u8) || close is < 5 or > 9)
            return false;
        var digits = address[3..close];
        foreach (var c in digits)
        {
            if (c is not (>= (byte)'0' and <= (byte)'9' or >= (byte)'A' and <= (byte)'F'))
                return false;
        }

        if ((digits.Length > 2 && digits[0] == (byte)'0')
            || !Rune.TryCreate(int.Parse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture), out rune))
            return false;
        address = address[(close + 1)..];
        return true;
    }

    // utf-8-addr-xtext: everything but QCHAR embedded.
    private static string Quote(string text)
    {
        var quoted = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            _ = rune.Value is > ' ' and < 127 and not ('+' or '=' or '\\')
                ? quoted.Append((char)rune.Value)
                : quoted.Append(CultureInfo.InvariantCulture, $"\\x{{{rune.Value:X2}}}");
        }

        return quoted.ToString();
    }
}
