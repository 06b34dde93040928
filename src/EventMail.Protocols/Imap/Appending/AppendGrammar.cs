using System.Text;
using EventMail.Protocols.Imap.Grammar;

namespace EventMail.Protocols.Imap.Appending;

/// <summary>What stands before a message's octets.</summary>
/// <param name="Literal">Its announcement; nothing for CATENATE.</param>
internal readonly record struct AppendOptions(List<string> Flags, DateTimeOffset? Date, AppendForm Form, LiteralMarker Literal);

/// <param name="Url">Of <see cref="PartForm.Url"/>; else null.</param>
internal readonly record struct CatenatePart(PartForm Form, string? Url, LiteralMarker Literal);

/// <summary>append-message = append-opts SP append-data (RFC 4466 §6, RFC 4469 §5, RFC 6855 §4); a streamed literal ends the text.</summary>
internal static class AppendGrammar
{
    // append-opts = [SP flag-list] [SP date-time]
    // append-data = literal / literal8 / "UTF8" SP "(" literal8 ")" / "CATENATE" SP "(" cat-part *(SP cat-part) ")"
    public static bool ExpectAppendOptions(this ref CommandParser parser, out AppendOptions options)
    {
        options = default;
        List<string> flags = [];
        DateTimeOffset? date = null;
        if (!parser.ExpectSp() || (parser.Peek == '(' && (!parser.ExpectFlagList(out flags) || !parser.ExpectSp())))
            return false;
        if (parser.Peek == '"')
        {
            if (!parser.ExpectDateTime(out var given) || !parser.ExpectSp())
                return false;
            date = given;
        }

        if (parser.TryWord("CATENATE"u8))
        {
            options = new(flags, date, AppendForm.Catenate, default);
            return parser.ExpectSp() && parser.ExpectByte('(');
        }

        var form = parser.PeekUtf8() ? AppendForm.Utf8 : AppendForm.Literal;
        var found = form == AppendForm.Utf8 ? parser.ExpectUtf8(out var literal) : parser.ExpectAnnouncement(out literal);
        options = new(flags, date, form, literal);
        return found;
    }

    // cat-part = "TEXT" SP literal / "URL" SP astring / "UTF8" SP "(" literal8 ")". RFC 3516's literal8 is taken where a literal is.
    public static bool ExpectCatenatePart(this ref CommandParser parser, out CatenatePart part)
    {
        part = default;
        if (parser.TryWord("TEXT"u8))
        {
            if (!parser.ExpectSp() || !parser.ExpectAnnouncement(out var text))
                return false;
            part = new(PartForm.Text, null, text);
            return true;
        }

        if (parser.PeekUtf8())
        {
            if (!parser.ExpectUtf8(out var utf8))
                return false;
            part = new(PartForm.Utf8, null, utf8);
            return true;
        }

        if (!parser.TryWord("URL"u8))
            return parser.Fail("Expected TEXT, UTF8 or URL");
        if (!parser.ExpectSp() || !parser.ExpectAString(out var url))
            return false;
        part = new(PartForm.Url, Encoding.Latin1.GetString(url), default);
        return true;
    }

    private static bool PeekUtf8(this ref CommandParser parser)
    {
        var ahead = parser;
        return ahead.TryWord("UTF8"u8);
    }

    private static bool ExpectUtf8(this ref CommandParser parser, out LiteralMarker literal)
    {
        literal = default;
        return parser.TryWord("UTF8"u8) && parser.ExpectSp() && parser.ExpectByte('(')
            && (parser.Peek == '~' || parser.Fail("Expected a literal8")) && parser.ExpectAnnouncement(out literal);
    }

    // ["~"] "{" number ["+"] "}" at the end of the text
    private static bool ExpectAnnouncement(this ref CommandParser parser, out LiteralMarker literal)
    {
        parser.TryByte('~');
        if (!parser.AtTrailingLiteral(out literal))
            return parser.Fail("Expected a literal");
        parser.Skip(literal.Length);
        return true;
    }
}
