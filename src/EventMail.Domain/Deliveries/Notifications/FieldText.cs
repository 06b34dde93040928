using System.Globalization;
using System.Text;

namespace EventMail.Domain.Deliveries.Notifications;

/// <summary>Foreign text made fit for one line: what strangers say must not add fields, turn the reading direction or overlong lines.</summary>
internal static class FieldText
{
    private const string Ellipsis = "...";

    /// <summary>Text of words: each run of white space and control characters becomes one space.</summary>
    public static string Words(string text, bool utf8, int limit)
    {
        var line = new StringBuilder(Math.Min(text.Length, limit));
        var octets = 0;
        var gap = false;
        foreach (var rune in text.EnumerateRunes())
        {
            if (IsBlank(rune))
            {
                gap = line.Length > 0;
                continue;
            }
            var shown = Shown(rune, utf8);
            if (octets + (gap ? 1 : 0) + shown.Utf8SequenceLength > limit)
                return line.Append(Ellipsis).ToString();
            if (gap)
                line.Append(' ');
            octets += (gap ? 1 : 0) + shown.Utf8SequenceLength;
            gap = false;
            line.Append(shown);
        }
        return line.ToString();
    }

    /// <summary>One piece (an address, a name): nothing is taken out of it, so that what differs stays different.</summary>
    public static string Token(string text, bool utf8)
    {
        var token = new StringBuilder(Math.Min(text.Length, NotificationLimits.Token));
        var octets = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            var shown = IsBlank(rune) && rune.Value != ' ' ? new Rune('?') : Shown(rune, utf8);
            octets += shown.Utf8SequenceLength;
            if (octets > NotificationLimits.Token)
                return token.Append(Ellipsis).ToString();
            token.Append(shown);
        }
        return token.ToString();
    }

    public static bool IsAscii(string text) => System.Text.Ascii.IsValid(text);

    /// <summary>White space, controls (C0, DEL, C1), line and paragraph separators, and what turns the reading direction.</summary>
    private static bool IsBlank(Rune rune) =>
        Rune.IsWhiteSpace(rune) || Rune.IsControl(rune) || rune.Value is (>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069)
        || Rune.GetUnicodeCategory(rune) is UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;

    private static Rune Shown(Rune rune, bool utf8) => utf8 || rune.IsAscii ? rune : new Rune('?');
}
