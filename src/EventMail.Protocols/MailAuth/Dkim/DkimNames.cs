using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace EventMail.Protocols.MailAuth.Dkim;

/// <summary>Domains and selectors of signatures.</summary>
internal static class DkimNames
{
    /// <summary>domain-name = sub-domain 1*("." sub-domain), in lower-case A-labels. U-labels become such (RFC 8616 §5).</summary>
    public static bool TryDomain(string? text, [NotNullWhen(true)] out string? domain) =>
        TryName(text, out domain) && domain.Contains('.');

    /// <summary>selector = sub-domain *( "." sub-domain )</summary>
    public static bool TrySelector(string? text, [NotNullWhen(true)] out string? selector) => TryName(text, out selector);

    /// <summary>Where the key is (RFC 6376 §3.6.2.1); null when no name can be as long.</summary>
    public static string? KeyName(string selector, string domain)
    {
        var name = $"{selector}._domainkey.{domain}";
        return name.Length <= DomainNames.MaxLength ? name : null;
    }

    private static bool TryName(string? text, [NotNullWhen(true)] out string? name)
    {
        name = null;
        if (text is not { Length: > 0 and <= DomainNames.MaxLength })
            return false;
        if (!Ascii.IsValid(text))
        {
            try
            {
                text = new IdnMapping().GetAscii(text);
            }
            catch (ArgumentException)
            {
                return false;
            }
        }
        var lower = text.ToLowerInvariant();
        if (lower.Length > DomainNames.MaxLength || !lower.Split('.').All(IsLabel))
            return false;
        name = lower;
        return true;
    }

    // RFC 5321's sub-domain, and the underscore: selectors have it.
    private static bool IsLabel(string label) =>
        label.Length is > 0 and <= DomainNames.MaxLabel && label[0] != '-' && label[^1] != '-'
        && label.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');
}
