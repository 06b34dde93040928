using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace EventMail.Domain.Accounts;

/// <summary>
/// An address that an account or alias may have, in canonical form: lower case, the domain in ASCII.
/// Stricter than what RFC 5321 lets others use: docs/decisions/0014-account-names.md.
/// </summary>
public sealed record MailAddress
{
    private MailAddress(string localPart, string domain) => (LocalPart, Domain) = (localPart, domain);

    public string LocalPart { get; }

    /// <summary>A-labels.</summary>
    public string Domain { get; }

    public override string ToString() => $"{LocalPart}@{Domain}";

    /// <param name="why">What is wrong with it, for the person who typed it; ASCII.</param>
    public static bool TryParse(
        string text, [NotNullWhen(true)] out MailAddress? address, [NotNullWhen(false)] out string? why)
    {
        address = null;
        var at = text.LastIndexOf('@');
        if (at < 0)
        {
            why = "An address has the form name@domain";
            return false;
        }

        var localPart = CanonicalLocalPart(text.AsSpan(0, at));
        why = LocalPartFault(localPart);
        if (why is not null)
        {
            return false;
        }

        if (!TryCanonicalDomain(text[(at + 1)..], out var domain))
        {
            why = "The domain is not a valid host name";
            return false;
        }

        if (Encoding.UTF8.GetByteCount(localPart) + 1 + domain.Length > AccountLimits.Address)
        {
            why = "The address is longer than 254 octets";
            return false;
        }

        address = new(localPart, domain);
        return true;
    }

    /// <summary>The domain of names that stand without one.</summary>
    public const string DomainOfBareNames = "localhost";

    /// <summary>
    /// What a client wrote, whether or not accounts may be called so: for capture mode, where every recipient is somebody. Null
    /// when it is nothing, or longer than an address may be.
    /// </summary>
    /// <param name="domain">Empty for a bare name, whose domain is <see cref="DomainOfBareNames"/>.</param>
    public static MailAddress? OfAnybody(string localPart, string domain)
    {
        var name = CanonicalLocalPart(localPart);
        var place = domain.Length == 0 ? DomainOfBareNames : TryCanonicalDomain(domain, out var canonical) ? canonical : domain.ToLowerInvariant();
        return name.Length == 0 || name.Any(char.IsControl) || place.Any(char.IsControl)
            || Encoding.UTF8.GetByteCount(name) + 1 + Encoding.UTF8.GetByteCount(place) > AccountLimits.Address
            ? null
            : new(name, place);
    }

    /// <summary>Local parts are compared without case here (RFC 5321 §2.4 leaves that to the receiving host).</summary>
    public static string CanonicalLocalPart(ReadOnlySpan<char> localPart) =>
        Ascii.IsValid(localPart) ? LowerAscii(localPart) : localPart.ToString().ToLowerInvariant();

    private static string LowerAscii(ReadOnlySpan<char> text) =>
        string.Create(text.Length, text, static (result, source) => Ascii.ToLower(source, result, out _));

    /// <summary>Lower-case A-labels; false for what cannot be a host name (address literals, empty labels, more than 253 octets).</summary>
    public static bool TryCanonicalDomain(string domain, [NotNullWhen(true)] out string? canonical)
    {
        canonical = null;
        if (domain.Length is 0 or > AccountLimits.Domain)
        {
            return false;
        }

        string ascii;
        if (Ascii.IsValid(domain))
        {
            ascii = LowerAscii(domain);
        }
        else
        {
            try
            {
                // RFC 5891: the A-label is the comparable form.
                ascii = new IdnMapping().GetAscii(domain.ToLowerInvariant()).ToLowerInvariant();
            }
            catch (ArgumentException)
            {
                return false;
            }
        }

        if (!IsHostName(ascii))
        {
            return false;
        }

        canonical = ascii;
        return true;
    }

    // RFC 5321 §4.1.2: Domain = sub-domain *("." sub-domain); sub-domain = Let-dig [Ldh-str]
    private static bool IsHostName(ReadOnlySpan<char> name)
    {
        if (name.Length is 0 or > AccountLimits.Domain)
        {
            return false;
        }

        foreach (var range in name.Split('.'))
        {
            var label = name[range];
            if (label.Length is 0 or > AccountLimits.Label || label[0] == '-' || label[^1] == '-')
            {
                return false;
            }

            foreach (var c in label)
            {
                if (!char.IsAsciiLetterOrDigit(c) && c != '-')
                {
                    return false;
                }
            }
        }

        return true;
    }

    /// <summary>The security guide's rules for user names, widened by letters of all scripts and the apostrophe.</summary>
    private static string? LocalPartFault(string localPart)
    {
        if (localPart.Length == 0 || Encoding.UTF8.GetByteCount(localPart) > AccountLimits.LocalPart)
        {
            return "The name before the @ has 1 to 64 octets";
        }

        if (localPart[0] is '.' or '-' || localPart[^1] is '.' or '-')
        {
            return "The name before the @ does not begin or end with a dot or a hyphen";
        }

        if (localPart.Contains("..", StringComparison.Ordinal))
        {
            return "The name before the @ has no two dots in a row";
        }

        foreach (var rune in localPart.EnumerateRunes())
        {
            if (!IsNameCharacter(rune))
            {
                return "The name before the @ consists of letters, digits and . _ - '";
            }
        }

        return null;
    }

    private static bool IsNameCharacter(Rune rune) =>
        rune.IsAscii
            ? Rune.IsLetterOrDigit(rune) || rune.Value is '.' or '_' or '-' or '\''
            : Rune.GetUnicodeCategory(rune) is UnicodeCategory.LowercaseLetter or UnicodeCategory.UppercaseLetter
                or UnicodeCategory.TitlecaseLetter or UnicodeCategory.OtherLetter or UnicodeCategory.ModifierLetter
                or UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.DecimalDigitNumber;
}
