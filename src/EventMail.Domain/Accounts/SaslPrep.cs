using System.Globalization;
using System.Text;

namespace EventMail.Domain.Accounts;

/// <summary>
/// SASLprep (RFC 4013): one form for the ways in which the same name or password may be typed, and a refusal of what cannot be typed.
/// Without step 2, normalization to NFKC: the tables for it are not in the runtime's invariant mode, in which the server runs on every
/// machine alike. So "é" and "e" with an accent stay different. Code points that Unicode 3.2 did not have are let through, as RFC 3454
/// §7 has it for queries.
/// </summary>
public static class SaslPrep
{
    private const int Space = ' ';

    /// <returns>False for a string with prohibited characters or mixed directions; <paramref name="prepared"/> is then empty.</returns>
    public static bool TryPrepare(string text, out string prepared)
    {
        prepared = "";
        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length;)
        {
            if (Rune.DecodeFromUtf16(text.AsSpan(i), out var rune, out var used) != System.Buffers.OperationStatus.Done)
                return false;
            i += used;
            if (IsMappedToNothing(rune.Value))
                continue;
            rune = IsNonAsciiSpace(rune.Value) ? new(Space) : rune;
            if (IsProhibited(rune))
                return false;
            result.Append(rune);
        }

        if (!IsOneDirection(result))
            return false;
        prepared = result.ToString();
        return true;
    }

    // RFC 3454 §B.1
    private static bool IsMappedToNothing(int c) =>
        c is 0x00AD or 0x034F or 0x1806 or (>= 0x180B and <= 0x180D) or (>= 0x200B and <= 0x200D) or 0x2060 or (>= 0xFE00 and <= 0xFE0F) or 0xFEFF;

    // RFC 3454 §C.1.2; U+200B is mapped to nothing above.
    private static bool IsNonAsciiSpace(int c) =>
        c is 0x00A0 or 0x1680 or (>= 0x2000 and <= 0x200A) or 0x202F or 0x205F or 0x3000;

    private static bool IsProhibited(Rune rune)
    {
        var c = rune.Value;
        return c is < 0x20 or 0x7F or (>= 0x80 and <= 0x9F) // §C.2.1, §C.2.2
            or 0x06DD or 0x070F or 0x180E or 0x2028 or 0x2029 or (>= 0x2061 and <= 0x2063) or (>= 0x206A and <= 0x206F) // §C.2.2, §C.8
            or (>= 0xFFF9 and <= 0xFFFD) or (>= 0x1D173 and <= 0x1D17A) // §C.2.2, §C.6
            or (>= 0x2FF0 and <= 0x2FFB) // §C.7
            or 0x0340 or 0x0341 or 0x200E or 0x200F or (>= 0x202A and <= 0x202E) // §C.8
            or 0xE0001 or (>= 0xE0020 and <= 0xE007F) // §C.9
            || Rune.GetUnicodeCategory(rune) == UnicodeCategory.PrivateUse // §C.3
            || (c & 0xFFFE) == 0xFFFE || c is >= 0xFDD0 and <= 0xFDEF; // §C.4; §C.5 are surrogates, which are no runes
    }

    // RFC 3454 §6: a string with right-to-left characters has no left-to-right ones, and begins and ends with them.
    private static bool IsOneDirection(StringBuilder text)
    {
        var (rightToLeft, leftToRight) = (false, false);
        var (first, last) = (0, 0);
        foreach (var rune in text.ToString().EnumerateRunes())
        {
            first = first == 0 ? rune.Value : first;
            last = rune.Value;
            if (IsRightToLeft(rune.Value))
                rightToLeft = true;
            else
                leftToRight |= IsLeftToRight(rune);
        }

        return !rightToLeft || (!leftToRight && IsRightToLeft(first) && IsRightToLeft(last));
    }

    // RFC 3454 §D.1
    private static bool IsRightToLeft(int c) => c
        is 0x05BE or 0x05C0 or 0x05C3 or (>= 0x05D0 and <= 0x05EA) or (>= 0x05F0 and <= 0x05F4) or 0x061B or 0x061F
        or (>= 0x0621 and <= 0x063A) or (>= 0x0640 and <= 0x064A) or (>= 0x066D and <= 0x066F) or (>= 0x0671 and <= 0x06D5) or 0x06DD
        or 0x06E5 or 0x06E6 or (>= 0x06FA and <= 0x06FE) or (>= 0x0700 and <= 0x070D) or 0x0710 or (>= 0x0712 and <= 0x072C)
        or (>= 0x0780 and <= 0x07A5) or 0x07B1 or 0x200F or 0xFB1D or (>= 0xFB1F and <= 0xFB28) or (>= 0xFB2A and <= 0xFB36)
        or (>= 0xFB38 and <= 0xFB3C) or 0xFB3E or 0xFB40 or 0xFB41 or 0xFB43 or 0xFB44 or (>= 0xFB46 and <= 0xFBB1)
        or (>= 0xFBD3 and <= 0xFD3D) or (>= 0xFD50 and <= 0xFD8F) or (>= 0xFD92 and <= 0xFDC7) or (>= 0xFDF0 and <= 0xFDFC)
        or (>= 0xFE70 and <= 0xFE74) or (>= 0xFE76 and <= 0xFEFC);

    // RFC 3454 §D.2 is every character whose direction is L: letters, letter-like numbers and spacing marks that are not in D.1.
    private static bool IsLeftToRight(Rune rune) => Rune.GetUnicodeCategory(rune)
        is UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
        or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter or UnicodeCategory.LetterNumber or UnicodeCategory.SpacingCombiningMark;
}
