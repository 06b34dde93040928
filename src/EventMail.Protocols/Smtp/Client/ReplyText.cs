using System.Globalization;
using System.Text;

namespace EventMail.Protocols.Smtp.Client;

/// <summary>What others wrote, made fit for a log line, an event and a notification.</summary>
internal static class ReplyText
{
    /// <summary>Control characters and what reorders or hides text become "?", runs of blanks one.</summary>
    public static string OneLine(string text, int maxLength)
    {
        var line = new StringBuilder(Math.Min(text.Length, maxLength));
        foreach (var rune in text.EnumerateRunes())
        {
            var category = Rune.GetUnicodeCategory(rune);
            if (category == UnicodeCategory.SpaceSeparator || rune.Value is '\t' or '\r' or '\n')
            {
                if (line.Length > 0 && line[^1] != ' ')
                {
                    line.Append(' ');
                }
            }
            else if (rune == Rune.ReplacementChar || category is UnicodeCategory.Control or UnicodeCategory.Format
                or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator)
            {
                line.Append('?');
            }
            else
            {
                line.Append(rune);
            }

            if (line.Length >= maxLength)
            {
                line.Length = char.IsHighSurrogate(line[maxLength - 1]) ? maxLength - 1 : maxLength;
                break;
            }
        }

        return line.ToString().TrimEnd();
    }
}
