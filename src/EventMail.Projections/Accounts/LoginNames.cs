using System.Text;
using EventMail.Domain.Accounts;

namespace EventMail.Projections.Accounts;

/// <summary>What clients give as user names.</summary>
internal static class LoginNames
{
    /// <summary>What a name that is no account's is counted under.</summary>
    public static string Stranger(string user) => $"?{Canonical(ForTheLog(user))}";

    /// <summary>The form in which names are compared: the full address, or the bare local part.</summary>
    public static string Canonical(string user)
    {
        var at = user.LastIndexOf('@');
        return at < 0 ? MailAddress.CanonicalLocalPart(user)
            : MailAddress.TryCanonicalDomain(user[(at + 1)..], out var domain)
                ? $"{MailAddress.CanonicalLocalPart(user.AsSpan(0, at))}@{domain}"
                : user.ToLowerInvariant();
    }

    /// <summary>For events and logs: one line, not too long.</summary>
    public static string ForTheLog(string user)
    {
        var text = new StringBuilder(Math.Min(user.Length, AccountLimits.AttemptedUser));
        foreach (var rune in user.EnumerateRunes())
        {
            if (text.Length + rune.Utf16SequenceLength > AccountLimits.AttemptedUser)
                break;
            text.Append(Rune.IsControl(rune) ? "?" : rune.ToString());
        }
        return text.ToString();
    }
}
