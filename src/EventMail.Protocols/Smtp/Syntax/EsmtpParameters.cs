using System.Text;

namespace EventMail.Protocols.Smtp.Syntax;

/// <summary>Walks "SP keyword [=value]" (esmtp-param of RFC 5321 §4.1.2).</summary>
internal ref struct EsmtpParameters(ReadOnlySpan<byte> text)
{
    private ReadOnlySpan<byte> _rest = text;

    public ReadOnlySpan<byte> Keyword { get; private set; }

    /// <summary>Empty when there was none.</summary>
    public ReadOnlySpan<byte> Value { get; private set; }

    public bool HasValue { get; private set; }

    /// <summary>The text is not a list of parameters.</summary>
    public bool Malformed { get; private set; }

    public bool Next()
    {
        // Blanks at the end of a line are common and mean nothing (RFC 5321 §4.1.1 asks to tolerate them).
        var trimmed = _rest.TrimStart((byte)' ');
        if (trimmed.IsEmpty)
            return false;
        if (trimmed.Length == _rest.Length)
            return Fail();

        var end = trimmed.IndexOf((byte)' ');
        var item = end < 0 ? trimmed : trimmed[..end];
        _rest = trimmed[item.Length..];
        var equals = item.IndexOf((byte)'=');
        HasValue = equals >= 0;
        Keyword = HasValue ? item[..equals] : item;
        Value = HasValue ? item[(equals + 1)..] : default;
        // esmtp-value = 1*(%d33-60 / %d62-126)
        return !Keyword.IsEmpty && IsKeyword(Keyword) && !(HasValue && (Value.IsEmpty || Value.Contains((byte)'='))) || Fail();
    }

    public readonly bool Is(ReadOnlySpan<byte> keyword) => Ascii.EqualsIgnoreCase(Keyword, keyword);

    // esmtp-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")
    private static bool IsKeyword(ReadOnlySpan<byte> keyword)
    {
        foreach (var c in keyword)
        {
            if (!char.IsAsciiLetterOrDigit((char)c) && c != (byte)'-')
                return false;
        }

        return keyword[0] != (byte)'-';
    }

    private bool Fail()
    {
        Malformed = true;
        return false;
    }
}
