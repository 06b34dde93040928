using System.Globalization;
using System.Text;

namespace EventMail.Protocols.MailAuth.Spf;

/// <summary>A text with macros (RFC 7208 §7): the target of a mechanism or modifier, or an explanation.</summary>
internal sealed class MacroString
{
    private const string Letters = "slodiphv";
    private const string ExplanationLetters = "crt";
    private const string Delimiters = ".-+,/_=";

    // Digits beyond are as good as "all of them".
    private const int MaxDigits = 3;

    private readonly List<Part> _parts = [];

    private MacroString()
    {
    }

    /// <param name="Text">A literal; null for a macro with a value.</param>
    /// <param name="IsMacro">Written with a percent sign.</param>
    /// <param name="Letter">In lower case.</param>
    /// <param name="Keep">So many parts from the right; 0 for all.</param>
    private readonly record struct Part(string? Text, bool IsMacro, char Letter = '\0', bool Escape = false, int Keep = 0, bool Reverse = false, string Split = ".");

    /// <summary>It has %{p}, which costs questions to the DNS.</summary>
    public bool NeedsValidatedName => _parts.Any(part => part.Letter == 'p');

    /// <summary>macro-string; null when it is none.</summary>
    public static MacroString? Parse(string text) => Parse(text, isExplanation: false);

    /// <summary>explain-string = *( macro-string / SP ), where more letters are allowed; null when it is none.</summary>
    public static MacroString? ParseExplanation(string text) => Parse(text, isExplanation: true);

    /// <summary>domain-spec = macro-string domain-end; null when it is none.</summary>
    public static MacroString? ParseDomain(string text)
    {
        if (Parse(text) is not { _parts: [.., var last] } parsed)
            return null;
        // domain-end = ( "." toplabel [ "." ] ) / macro-expand
        if (last.IsMacro)
            return parsed;
        var end = last.Text!.EndsWith('.') ? last.Text[..^1] : last.Text;
        var dot = end.LastIndexOf('.');
        return dot >= 0 && IsTopLabel(end.AsSpan(dot + 1)) ? parsed : null;
    }

    /// <param name="valueOf">The value of a macro letter (lower case).</param>
    public string Expand(Func<char, string> valueOf)
    {
        var text = new StringBuilder();
        foreach (var part in _parts)
        {
            if (part.Text is not null)
            {
                text.Append(part.Text);
                continue;
            }
            var value = Transform(part, valueOf(part.Letter));
            text.Append(part.Escape ? Uri.EscapeDataString(value) : value);
        }
        return text.ToString();
    }

    // RFC 7208 §7.3: split, reverse, keep the last parts, join by dots.
    private static string Transform(Part part, string value)
    {
        if (part is { Keep: 0, Reverse: false, Split: "." })
            return value;
        var pieces = value.Split(part.Split.ToCharArray());
        if (part.Reverse)
            Array.Reverse(pieces);
        return string.Join('.', part.Keep > 0 && part.Keep < pieces.Length ? pieces[^part.Keep..] : pieces);
    }

    private static MacroString? Parse(string text, bool isExplanation)
    {
        var parsed = new MacroString();
        for (var at = 0; at < text.Length;)
        {
            if (text[at] != '%')
            {
                var start = at;
                // macro-literal = %x21-24 / %x26-7E
                while (at < text.Length && text[at] != '%')
                {
                    if (text[at] is < '!' or > '~' && !(isExplanation && text[at] == ' '))
                        return null;
                    at++;
                }
                parsed._parts.Add(new(text[start..at], false));
                continue;
            }

            if (parsed.Macro(text, ref at, isExplanation) is not { } part)
                return null;
            parsed._parts.Add(part);
        }
        return parsed;
    }

    // macro-expand = ( "%{" macro-letter transformers *delimiter "}" ) / "%%" / "%_" / "%-"
    private Part? Macro(string text, ref int at, bool isExplanation)
    {
        var kind = at + 1 < text.Length ? text[at + 1] : '\0';
        at += 2;
        switch (kind)
        {
            case '%':
                return new("%", true);
            case '_':
                return new(" ", true);
            case '-':
                return new("%20", true);
            case '{':
                break;
            default:
                return null;
        }

        var close = text.IndexOf('}', at);
        if (close <= at)
            return null;
        var letter = char.ToLowerInvariant(text[at]);
        if (!Letters.Contains(letter) && !(isExplanation && ExplanationLetters.Contains(letter)))
            return null;
        var escape = char.IsAsciiLetterUpper(text[at]);
        var inner = text.AsSpan(at + 1, close - at - 1);
        at = close + 1;

        // transformers = *DIGIT [ "r" ]
        var digits = inner.IndexOfAnyExceptInRange('0', '9') is var end and >= 0 ? end : inner.Length;
        var keep = 0;
        // RFC 7208 §7.3: zero is not allowed.
        if (digits > 0 && (keep = Count(inner[..digits])) == 0)
            return null;
        inner = inner[digits..];
        var reverse = inner.StartsWith("r", StringComparison.OrdinalIgnoreCase);
        if (reverse)
            inner = inner[1..];
        if (inner.IndexOfAnyExcept(Delimiters) >= 0)
            return null;
        return new(null, true, letter, escape, keep, reverse, inner.IsEmpty ? "." : inner.ToString());
    }

    private static int Count(ReadOnlySpan<char> digits)
    {
        digits = digits.TrimStart('0');
        return digits.IsEmpty ? 0 : digits.Length > MaxDigits ? int.MaxValue : int.Parse(digits, CultureInfo.InvariantCulture);
    }

    // toplabel = ( *alphanum ALPHA *alphanum ) / ( 1*alphanum "-" *( alphanum / "-" ) alphanum )
    private static bool IsTopLabel(ReadOnlySpan<char> label)
    {
        if (label.IsEmpty || label[0] == '-' || label[^1] == '-')
            return false;
        var notNumber = false;
        foreach (var c in label)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c != '-')
                return false;
            notNumber |= !char.IsAsciiDigit(c);
        }
        return notNumber;
    }
}
