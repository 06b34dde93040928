using System.Text;
using System.Text.Unicode;
using EventMail.Domain.Mailboxes;

namespace EventMail.Protocols.Imap.Grammar;

/// <summary>
/// LIST's patterns (RFC 3501 §6.3.8): "*" matches anything, "%" anything within one level.
/// </summary>
internal sealed class ListPattern
{
    public const char Separator = '/';

    private readonly WildcardMatcher? _matcher;
    private readonly int _letters;
    private readonly bool _mayBeInbox;

    private ListPattern(string pattern)
    {
        Text = pattern;
        StopsAtLevels = pattern.Contains('%');
        // Longer than any name: without a look at the names.
        if (Encoding.UTF8.GetByteCount(pattern) - pattern.AsSpan().CountAny('*', '%') > MailboxLimits.MaxNameBytes)
            return;
        _letters = pattern.Length - pattern.AsSpan().CountAny('*', '%');
        _matcher = new(pattern);
        _mayBeInbox = new WildcardMatcher(pattern.ToUpperInvariant()).Matches(MailboxName.Inbox);
    }

    /// <summary>With its reference.</summary>
    public string Text { get; }

    /// <summary>It has a "%".</summary>
    public bool StopsAtLevels { get; }

    /// <param name="reference">Prefixed to the pattern, as most servers read RFC 3501's "reference name".</param>
    /// <param name="utf8">"&amp;" stands for itself: see <see cref="CommandParser.Utf8Names"/>.</param>
    public static bool TryParse(ReadOnlySpan<byte> reference, ReadOnlySpan<byte> pattern, out ListPattern result, bool utf8 = false)
    {
        result = null!;
        if (!TryDecode(reference, utf8, out var prefix) || !TryDecode(pattern, utf8, out var text))
            return false;
        result = new(Simplified(prefix + text));
        return true;
    }

    // Wildcards split an encoded word where a name would not; what is no modified UTF-7 is a pattern of its plain characters.
    private static bool TryDecode(ReadOnlySpan<byte> wire, bool utf8, out string text)
    {
        if (!Ascii.IsValid(wire))
        {
            text = Utf8.IsValid(wire) ? Encoding.UTF8.GetString(wire) : "";
            return text.Length > 0;
        }

        if (utf8 || !ModifiedUtf7.TryDecode(wire, out text))
            text = Encoding.ASCII.GetString(wire);
        return true;
    }

    // "**", "*%" and "%*" say no more than "*"; "%%" no more than "%".
    private static string Simplified(string pattern)
    {
        var result = new StringBuilder(pattern.Length);
        foreach (var c in pattern)
        {
            var last = result.Length > 0 ? result[^1] : '\0';
            if (c is '*' or '%' && last is '*' || (c == '%' && last == '%'))
                continue;
            if (c == '*' && last == '%')
                result[^1] = '*';
            else
                result.Append(c);
        }

        return result.ToString();
    }

    public bool Matches(string name) =>
        name == MailboxName.Inbox ? _mayBeInbox : _matcher is not null && name.Length >= _letters && _matcher.Matches(name);
}
