using System.Globalization;
using System.Text;

namespace EventMail.Protocols.MailAuth.Dkim;

/// <summary>i=, the Agent or User Identifier (RFC 6376 §3.5).</summary>
/// <param name="Domain">Lower-case A-labels.</param>
/// <param name="Text">For people and reports; null when it has what is not to be printed.</param>
internal readonly record struct DkimIdentity(string Domain, string? Text)
{
    /// <summary>sig-i-tag = %x69 [FWS] "=" [FWS] [ Local-part ] "@" domain-name, in dkim-quoted-printable</summary>
    public static DkimFault? Read(TagList tags, string signer, out DkimIdentity identity)
    {
        // RFC 6376 §6.1.1: without i= "the Verifier MUST behave as though the value of that tag were "@d"".
        identity = new(signer, $"@{signer}");
        if (!tags.Has("i"))
            return null;
        var text = Decode(tags.Value("i"));
        var at = text.LastIndexOf('@');
        if (at < 0 || !DkimNames.TryDomain(text[(at + 1)..], out var domain))
            return new(DkimVerdict.PermError, "i= is no identity");
        identity = new(domain, text[..at].All(IsPlain) ? $"{text[..at]}@{domain}" : null);
        return DomainNames.IsWithin(domain, signer) ? null : new(DkimVerdict.PermError, "domain mismatch of i= and d=");
    }

    // atext and the dot: what needs no quotes.
    private static bool IsPlain(char c) => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-/=?^_`{|}~.".Contains(c, StringComparison.Ordinal);

    // RFC 6376 §2.11: white space is not part of it, "=" and two upper-case digits are an octet.
    private static string Decode(ReadOnlySpan<byte> text)
    {
        var octets = new byte[text.Length];
        var length = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n')
                continue;
            if (text[i] == (byte)'=' && i + 2 < text.Length
                && byte.TryParse(text.Slice(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var octet))
            {
                octets[length++] = octet;
                i += 2;
            }
            else
            {
                octets[length++] = text[i];
            }
        }
        return Encoding.UTF8.GetString(octets, 0, length);
    }
}
