using System.Text;
using EventMail.Protocols.MailAuth.Arc;

namespace EventMail.Protocols.MailAuth;

/// <summary>
/// Whether a chain of forwarders, all of them trusted, vouches for a message that does not pass DMARC any more (RFC 8617 §7.2, RFC 7960).
/// </summary>
internal static class TrustedForwarding
{
    // Results in one sealed field that are looked at.
    private const int MaxResults = 100;

    /// <param name="sealers">Lower-case A-labels.</param>
    /// <param name="author">The author's domain as it is now.</param>
    public static bool Vouches(ArcResult arc, IReadOnlySet<string> sealers, string author) =>
        arc is { Verdict: ArcVerdict.Pass, Sealers.Count: > 0, Findings: [var first, ..] }
        && arc.Sealers.All(sealers.Contains)
        && SaysPass(Encoding.Latin1.GetString(first.Span), author);

    // authserv-id *( ";" method "=" result *( ptype "." property "=" value ) )
    private static bool SaysPass(string results, string author)
    {
        foreach (var result in Plain(results).Split(';', MaxResults + 1).Skip(1).Take(MaxResults))
        {
            var words = result.Split([' ', '\t', '\r', '\n'], StringSplitOptions.RemoveEmptyEntries);
            if (words.Length > 0 && words[0].Equals("dmarc=pass", StringComparison.OrdinalIgnoreCase))
                return words.Contains($"header.from={author}", StringComparer.OrdinalIgnoreCase);
        }
        return false;
    }

    // Without comments and with nothing in quotes: there is no word of ours in them. White space around "=" is folded away.
    private static string Plain(string text)
    {
        var plain = new StringBuilder(text.Length);
        var (depth, quoted) = (0, false);
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c == '\\' && (depth > 0 || quoted))
                i++;
            else if (c == '"' && depth == 0)
                quoted = !quoted;
            else if (c == '(' && !quoted)
                depth++;
            else if (c == ')' && depth > 0)
                depth--;
            else if (depth == 0 && !quoted)
                plain.Append(c);
        }
        return string.Join('=', plain.ToString().Split('=').Select(part => part.Trim(' ', '\t', '\r', '\n')));
    }
}
