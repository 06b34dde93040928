namespace EventMail.Protocols.Smtp.Client;

/// <summary>Enhanced status codes (RFC 3463 §2) at the front of a reply's text (RFC 2034 §4).</summary>
internal static class EnhancedCode
{
    // status-code = class "." subject "." detail
    // class = "2"/"4"/"5"; subject, detail = 1*3digit
    /// <param name="length">With the blanks behind it.</param>
    public static bool TryRead(string text, out string code, out int length)
    {
        (code, length) = ("", 0);
        if (text.Length < 5 || text[0] is not ('2' or '4' or '5') || text[1] != '.')
        {
            return false;
        }

        var subject = Digits(text, 2);
        if (subject == 0 || 2 + subject >= text.Length || text[2 + subject] != '.')
        {
            return false;
        }

        var detail = Digits(text, 3 + subject);
        var end = 3 + subject + detail;
        if (detail == 0 || (end < text.Length && text[end] != ' '))
        {
            return false;
        }

        code = text[..end];
        length = end;
        while (length < text.Length && text[length] == ' ')
        {
            length++;
        }

        return true;
    }

    /// <summary>The same code in another class: "5.5.3" as "4.5.3".</summary>
    public static string InClass(string code, char status) => status + code[1..];

    private static int Digits(string text, int from)
    {
        var count = 0;
        while (count < 3 && from + count < text.Length && char.IsAsciiDigit(text[from + count]))
        {
            count++;
        }

        return count;
    }
}
