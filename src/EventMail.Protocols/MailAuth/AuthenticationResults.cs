using System.Globalization;
using System.Text;

namespace EventMail.Protocols.MailAuth;

/// <summary>Writes an Authentication-Results field (RFC 8601 §2.2), a line for each result.</summary>
internal sealed class AuthenticationResults(string authservId)
{
    // Of a reason: for people, and perhaps a stranger's.
    private const int MaxReason = 200;

    private readonly StringBuilder _text = new();

    /// <param name="properties">Pairs such as "smtp.mailfrom", "example.com"; those with a null value are left out.</param>
    public AuthenticationResults Add(string method, string result, string? reason, params ReadOnlySpan<(string Name, string? Value)> properties)
    {
        _text.Append(CultureInfo.InvariantCulture, $";\r\n\t{method}={result}");
        if (reason is { Length: > 0 })
            _text.Append(" reason=").Append(Quoted(Printable(reason)));
        foreach (var (name, value) in properties)
        {
            if (value is { Length: > 0 })
                _text.Append(CultureInfo.InvariantCulture, $" {name}={Value(Printable(value))}");
        }
        return this;
    }

    /// <summary>The whole field with CRLF. Without any result it says "none".</summary>
    public override string ToString() => $"Authentication-Results: {Value(authservId)}{(_text.Length == 0 ? "; none" : _text)}\r\n";

    // value = token / quoted-string (RFC 2045 §5.1); an address is "[ [ local-part ] "@" ] domain-name" and needs no quotes.
    private static string Value(string text) => text.All(c => IsToken(c) || c == '@') && text.Length > 0 ? text : Quoted(text);

    private static bool IsToken(char c) => c is > ' ' and < '\x7f' && !"()<>@,;:\\\"/[]?=".Contains(c);

    private static string Quoted(string text) =>
        $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    // One line of visible ASCII, whatever it was.
    private static string Printable(string text)
    {
        if (text.Length > MaxReason + DomainNames.MaxLength)
            text = text[..MaxReason];
        return string.Create(text.Length, text, static (line, source) =>
        {
            for (var i = 0; i < line.Length; i++)
                line[i] = source[i] is >= ' ' and < '\x7f' ? source[i] : '?';
        });
    }
}
