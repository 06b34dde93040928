using EventMail.Domain.Accounts;
using EventMail.Protocols.Smtp.Syntax;

namespace EventMail.Protocols.Smtp.Submission;

/// <summary>Where mail for others is to go: checked for what can be known before DNS is asked.</summary>
internal static class RemoteDomain
{
    /// <param name="domain">As in RCPT TO.</param>
    /// <param name="canonical">Lower-case A-labels, or the address literal.</param>
    /// <returns>Null when it may be a domain, else the refusal.</returns>
    public static SmtpReply? Check(string domain, out string? canonical)
    {
        canonical = null;
        if (domain.StartsWith('['))
        {
            if (!SmtpChars.TryAddressLiteral(domain.AsSpan(1, domain.Length - 2), out var address))
                return SmtpReplies.BadDomain;
            canonical = AddressLiterals.Of(address);
            return null;
        }

        if (!MailAddress.TryCanonicalDomain(domain, out canonical))
            return SmtpReplies.BadDomain;
        // RFC 6409 §4.2: what only our own resolver could complete does not leave this host.
        return canonical.Contains('.') ? null : SmtpReplies.UnqualifiedDomain;
    }
}
