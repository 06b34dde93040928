using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Unicode;

namespace EventMail.Protocols.Imap.Grammar;

/// <summary>
/// Reads a command's arguments as RFC 3501 §9 writes them. TryX takes X when it is there; ExpectX fails the command when it is not,
/// and says why in <see cref="Error"/>. The text is the whole command with its literals in place; what is returned points into it
/// and lives as long as it. Never throws.
/// </summary>
internal ref partial struct CommandParser(ReadOnlySpan<byte> text)
{
    private readonly ReadOnlySpan<byte> _text = text;
    private int _at;

    /// <summary>What the client has switched on; some of it changes what words mean.</summary>
    public Extensions Enabled { get; init; }

    /// <summary>RFC 6855 §3, RFC 9051 §5.1: mailbox names are UTF-8, and "&amp;" stands for itself.</summary>
    public readonly bool Utf8Names => (Enabled & (Extensions.Utf8Accept | Extensions.Imap4Rev2)) != 0;

    /// <summary>What was wrong first; null as long as nothing was.</summary>
    public string? Error { get; private set; }

    public readonly bool AtEnd => _at == _text.Length;

    public readonly int Position => _at;

    public readonly ReadOnlySpan<byte> Rest => _text[_at..];

    /// <summary>The next octet, or -1.</summary>
    public readonly int Peek => _at < _text.Length ? _text[_at] : -1;

    /// <summary>Passes over what the caller has looked at in <see cref="Rest"/>.</summary>
    public void Skip(int count) => _at += count;

    /// <summary>The text from a <see cref="Position"/> on.</summary>
    public readonly ReadOnlySpan<byte> Since(int position) => _text[position.._at];

    public bool Fail(string error)
    {
        Error ??= error;
        return false;
    }

    public bool TryByte(char wanted)
    {
        if (Peek != wanted)
            return false;
        _at++;
        return true;
    }

    public bool TrySp() => TryByte(' ');

    public bool ExpectByte(char wanted) => TryByte(wanted) || Fail($"Expected '{wanted}'");

    public bool ExpectSp() => TryByte(' ') || Fail(AtEnd ? "Missing argument" : "Expected a space");

    public bool ExpectEnd() => AtEnd || Fail("Unexpected text behind the command");

    /// <summary>A word of the grammar, in any case.</summary>
    public bool TryWord(ReadOnlySpan<byte> upperCase)
    {
        if (!PeekWord(upperCase))
            return false;
        _at += upperCase.Length;
        return true;
    }

    // A word must not be the beginning of a longer one: SEEN in SEENX.
    private readonly bool PeekWord(ReadOnlySpan<byte> upperCase)
    {
        var rest = Rest;
        return rest.Length >= upperCase.Length && Ascii.EqualsIgnoreCase(rest[..upperCase.Length], upperCase)
            && (rest.Length == upperCase.Length || !ImapChars.Atom.Contains(rest[upperCase.Length]) || rest[upperCase.Length] == (byte)'[');
    }

    private bool TryRun(SearchValues<byte> chars, out ReadOnlySpan<byte> run)
    {
        var length = Rest.IndexOfAnyExcept(chars);
        run = length < 0 ? Rest : Rest[..length];
        _at += run.Length;
        return run.Length > 0;
    }

    /// <summary>atom = 1*ATOM-CHAR</summary>
    public bool TryAtom(out ReadOnlySpan<byte> atom) => TryRun(ImapChars.Atom, out atom);

    public bool ExpectAtom(out ReadOnlySpan<byte> atom) => TryAtom(out atom) || Fail("Expected an atom");

    /// <summary>tag = 1*&lt;any ASTRING-CHAR except "+"&gt;</summary>
    public bool TryTag(out ReadOnlySpan<byte> tag) => TryRun(ImapChars.Tag, out tag);

    /// <summary>number64 = 1*DIGIT, below 2^63</summary>
    public bool TryNumber(out long number)
    {
        if (!Utf8Parser.TryParse(Rest, out ulong value, out var length) || value > long.MaxValue || Peek is < '0' or > '9')
        {
            number = 0;
            return false;
        }

        number = (long)value;
        _at += length;
        return true;
    }

    public bool ExpectNumber(out long number) => TryNumber(out number) || Fail("Expected a number");

    /// <summary>string = quoted / literal</summary>
    public bool TryString(out ReadOnlySpan<byte> value)
    {
        value = default;
        return Peek switch
        {
            '"' => TryQuoted(out value),
            '{' => TryLiteral(out value),
            _ => false,
        };
    }

    public bool ExpectString(out ReadOnlySpan<byte> value) => TryString(out value) || Fail("Expected a string");

    /// <summary>astring = 1*ASTRING-CHAR / string</summary>
    public bool ExpectAString(out ReadOnlySpan<byte> value) =>
        TryString(out value) || (Error is null && TryRun(ImapChars.AString, out value)) || Fail("Expected a string");

    /// <summary>nstring = string / nil</summary>
    public bool ExpectNString(out ReadOnlySpan<byte> value, out bool isNil)
    {
        value = default;
        isNil = TryWord("NIL"u8);
        return isNil || ExpectString(out value);
    }

    /// <summary>list-mailbox = 1*list-char / string</summary>
    public bool ExpectListMailbox(out ReadOnlySpan<byte> value) =>
        TryString(out value) || (Error is null && TryRun(ImapChars.List, out value)) || Fail("Expected a mailbox pattern");

    // quoted = DQUOTE *QUOTED-CHAR DQUOTE. RFC 9051 §9 allows UTF-8 in it, and clients of RFC 3501 send it too.
    private bool TryQuoted(out ReadOnlySpan<byte> value)
    {
        value = default;
        var rest = Rest[1..];
        var end = rest.IndexOfAny((byte)'"', (byte)'\\');
        if (end >= 0 && rest[end] == (byte)'\\')
            end = EndOfQuoted(rest, end);
        if (end < 0)
            return Fail("A quoted string has no end");
        value = rest[..end];
        if (value.IndexOfAny((byte)'\r', (byte)'\n') >= 0)
            return Fail("A quoted string has no end");
        if (!Utf8.IsValid(value))
            return Fail("A quoted string is not UTF-8");
        _at += end + 2;
        return !value.Contains((byte)'\\') || TryUnescape(ref value);
    }

    private static int EndOfQuoted(ReadOnlySpan<byte> text, int at)
    {
        while (at < text.Length && text[at] != (byte)'"')
            at += text[at] == (byte)'\\' ? 2 : 1;
        return at < text.Length ? at : -1;
    }

    // QUOTED-CHAR = TEXT-CHAR except quoted-specials / "\" quoted-specials. Other escapes are taken literally, as Dovecot does.
    private static bool TryUnescape(ref ReadOnlySpan<byte> value)
    {
        var plain = new byte[value.Length];
        var length = 0;
        for (var i = 0; i < value.Length; i++)
        {
            if (value[i] == (byte)'\\' && i + 1 < value.Length)
                i++;
            plain[length++] = value[i];
        }

        value = plain.AsSpan(0, length);
        return true;
    }

    /// <summary>The text ends here in the announcement of a literal that has not been read.</summary>
    public readonly bool AtTrailingLiteral(out LiteralMarker marker) =>
        LiteralMarker.TryFindAtEnd(_text, out marker) && marker.Length == _text.Length - _at;

    // literal = "{" number ["+"] "}" CRLF *CHAR8
    private bool TryLiteral(out ReadOnlySpan<byte> value)
    {
        value = default;
        if (!LiteralMarker.TryRead(Rest, out var marker))
            return Fail("Malformed literal");
        var bytes = Rest[marker.Length..];
        if (bytes.Length < marker.Size)
            return Fail("A literal is incomplete");
        value = bytes[..(int)marker.Size];
        _at += marker.Length + (int)marker.Size;
        return true;
    }
}
