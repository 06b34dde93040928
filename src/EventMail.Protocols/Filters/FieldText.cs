using System.Text;
using EventMail.Protocols.Smtp;

namespace EventMail.Protocols.Filters;

/// <summary>Text of filters made fit for headers and replies: what they say may be a stranger's words.</summary>
internal static class FieldText
{
    /// <summary>Of one field that a filter adds, name and value together.</summary>
    public const int MaxField = 64 * 1024;

    // RFC 5321 §4.5.3.1.5: 512 octets with code and CRLF.
    private const int MaxReply = 450;

    /// <summary>A whole field with CRLF, folded where the value is; null when it cannot be one.</summary>
    /// <param name="value">Lines may end in LF alone; octets that are no printable ASCII become question marks.</param>
    /// <param name="leadingBlank">One blank stands behind the colon whatever the value begins with.</param>
    public static string? Field(string name, string value, bool leadingBlank = true)
    {
        // RFC 5322 §2.2: ftext
        if (name.Length == 0 || name.Length + value.Length > MaxField || !name.All(c => c is > ' ' and < '\x7f' and not ':'))
            return null;
        var field = new StringBuilder(name.Length + value.Length + 4).Append(name).Append(leadingBlank ? ": " : ":");
        var first = true;
        foreach (var line in value.AsSpan().EnumerateLines())
        {
            // An empty line would end the header, one without a blank in front would be a field.
            if (line.Trim(" \t").IsEmpty && !first)
                continue;
            if (!first)
                field.Append(line[0] is ' ' or '\t' ? "\r\n" : "\r\n\t");
            foreach (var c in line)
                field.Append(c is (>= ' ' and < '\x7f') or '\t' ? c : '?');
            first = false;
        }
        return field.Append("\r\n").ToString();
    }

    /// <summary>A reply with this code; of several lines one is made.</summary>
    public static SmtpReply Reply(string code, string enhanced, string text)
    {
        var line = new StringBuilder(code).Append(' ').Append(enhanced).Append(' ');
        foreach (var c in text.Trim())
        {
            if (line.Length == MaxReply)
                break;
            line.Append(c is >= ' ' and < '\x7f' ? c : c is '\r' or '\n' ? ' ' : '?');
        }
        return new(line.ToString().TrimEnd());
    }
}
