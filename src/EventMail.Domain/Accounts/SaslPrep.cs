using System.Buffers;
using System.Text;
using EventMail.Domain.Accounts.Stringprep;

namespace EventMail.Domain.Accounts;

/// <summary>What a string is prepared for (RFC 3454 §7): they differ in code points that Unicode 3.2 did not have.</summary>
public enum SaslPrepUse
{
    /// <summary>Prohibits them. Passwords (RFC 5802 §2.2).</summary>
    Stored,

    /// <summary>Lets them through. User names (RFC 5802 §5.1).</summary>
    Query,
}

/// <summary>
/// SASLprep (RFC 4013): one form for the ways in which the same name or password may be typed, and a refusal of what cannot be typed.
/// </summary>
public static class SaslPrep
{
    /// <returns>False for a string with prohibited characters or mixed directions; <paramref name="prepared"/> is then empty.</returns>
    public static bool TryPrepare(string text, SaslPrepUse use, out string prepared)
    {
        prepared = "";
        if (Ascii.IsValid(text))
        {
            if (text.Any(char.IsControl))
                return false;
            prepared = text;
            return true;
        }

        var tables = UnicodeTables.Instance;
        if (!TryMap(text, tables, out var mapped))
            return false;
        var result = Nfkc.Of(mapped);
        if (result.Exists(c => tables.Prohibited.Contains(c) || (use == SaslPrepUse.Stored && tables.Unassigned.Contains(c)))
            || !IsOneDirection(result, tables))
            return false;
        prepared = string.Concat(result.Select(char.ConvertFromUtf32));
        return true;
    }

    // RFC 4013 §2.1, in its order: U+200B, which is in both tables, becomes a space.
    private static bool TryMap(ReadOnlySpan<char> text, UnicodeTables tables, out List<int> mapped)
    {
        mapped = new(text.Length);
        while (!text.IsEmpty)
        {
            // RFC 3454 §C.5: surrogates that are no pair.
            if (Rune.DecodeFromUtf16(text, out var rune, out var used) != OperationStatus.Done)
                return false;
            text = text[used..];
            if (tables.NonAsciiSpaces.Contains(rune.Value))
                mapped.Add(' ');
            else if (!tables.MappedToNothing.Contains(rune.Value))
                mapped.Add(rune.Value);
        }

        return true;
    }

    // RFC 3454 §6: a string with right-to-left characters has no left-to-right ones, and begins and ends with them.
    private static bool IsOneDirection(List<int> text, UnicodeTables tables) =>
        !text.Exists(tables.RightToLeft.Contains)
        || (!text.Exists(tables.LeftToRight.Contains) && tables.RightToLeft.Contains(text[0]) && tables.RightToLeft.Contains(text[^1]));
}
