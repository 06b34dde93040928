using System.Text;
using System.Text.Unicode;
using EventMail.Domain.Mailboxes;

namespace EventMail.Protocols.Imap.Grammar;

/// <summary>
/// LIST's patterns (RFC 3501 §6.3.8): "*" matches anything, "%" anything within one level. Linear in name times pattern, whatever
/// the client asks for.
/// </summary>
internal sealed class ListPattern
{
    public const char Separator = '/';

    private readonly string _pattern;
    private readonly bool _mayBeInbox;
    private readonly bool _isTooLong;

    private ListPattern(string pattern)
    {
        _pattern = pattern;
        // Longer than any name: without a look at the names. What is not refused here is short, its wildcards never stand together.
        _isTooLong = pattern.Length - pattern.AsSpan().CountAny('*', '%') > MailboxLimits.MaxNameBytes;
        _mayBeInbox = !_isTooLong && Matches(pattern.ToUpperInvariant(), "INBOX");
    }

    /// <summary>It has a "%".</summary>
    public bool StopsAtLevels => _pattern.Contains('%');

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

    public bool Matches(string name) => !_isTooLong && (name == "INBOX" ? _mayBeInbox : Matches(_pattern, name));

    // Each step keeps all positions in the pattern that the name so far can have reached.
    private static bool Matches(string pattern, string name)
    {
        Span<bool> reached = pattern.Length < 256 ? stackalloc bool[256] : new bool[pattern.Length + 1];
        reached = reached[..(pattern.Length + 1)];
        reached.Clear();
        reached[0] = true;
        SkipWildcards(pattern, reached);
        foreach (var c in name)
        {
            for (var i = pattern.Length; i >= 0; i--)
            {
                var stays = i < pattern.Length && reached[i] && (pattern[i] == '*' || (pattern[i] == '%' && c != Separator));
                var comes = i > 0 && reached[i - 1] && pattern[i - 1] is not ('*' or '%') && pattern[i - 1] == c;
                reached[i] = stays || comes;
            }

            SkipWildcards(pattern, reached);
        }

        return reached[pattern.Length];
    }

    private static void SkipWildcards(string pattern, Span<bool> reached)
    {
        for (var i = 0; i < pattern.Length; i++)
            reached[i + 1] |= reached[i] && (pattern[i] is '*' or '%');
    }
}
