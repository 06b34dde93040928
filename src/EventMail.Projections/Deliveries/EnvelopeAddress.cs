using System.Text;

namespace EventMail.Projections.Deliveries;

/// <summary>An address of an envelope in the words of the directory.</summary>
internal static class EnvelopeAddress
{
    /// <summary>The local part with its quotes resolved; the domain is empty where there is none (postmaster).</summary>
    public static (string LocalPart, string Domain) Split(string address)
    {
        var at = address.LastIndexOf('@');
        return at < 0 ? (Unquoted(address), "") : (Unquoted(address[..at]), address[(at + 1)..]);
    }

    // RFC 5321 §4.1.2: Quoted-string = DQUOTE *QcontentSMTP DQUOTE
    private static string Unquoted(string localPart)
    {
        if (localPart.Length < 2 || localPart[0] != '"' || localPart[^1] != '"')
            return localPart;
        var text = new StringBuilder(localPart.Length);
        for (var i = 1; i < localPart.Length - 1; i++)
            text.Append(localPart[i] == '\\' && i + 1 < localPart.Length - 1 ? localPart[++i] : localPart[i]);
        return text.ToString();
    }
}
