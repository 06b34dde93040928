using System.Text;
using EventMail.Domain.Messages;
using EventMail.Protocols.Imap.Grammar;

namespace EventMail.Protocols.Imap.Fetching;

/// <summary>A section in its shortest form, "[1.HEADER.FIELDS (To "a(b")]" (RFC 3501 §9).</summary>
internal static class SectionLabel
{
    public static byte[] Of(SectionSpec section)
    {
        var part = section.Fields is null
            ? section.Part switch
            {
                SectionPart.Header => "HEADER",
                SectionPart.Text => "TEXT",
                SectionPart.Mime => "MIME",
                _ => null,
            }
            : $"HEADER.FIELDS{(section.FieldsNot ? ".NOT" : "")} ({string.Join(' ', section.Fields.Select(AString))})";
        var words = section.PartNumbers.Select(number => number.ToString(System.Globalization.CultureInfo.InvariantCulture));
        return Encoding.ASCII.GetBytes($"[{string.Join('.', part is null ? words : words.Append(part))}]");
    }

    // Field names are printable ASCII: the parser takes no others.
    private static string AString(ReadOnlyMemory<byte> name)
    {
        var text = Encoding.ASCII.GetString(name.Span);
        return name.Span.IndexOfAnyExcept(ImapChars.AString) < 0
            ? text
            : $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
    }
}
