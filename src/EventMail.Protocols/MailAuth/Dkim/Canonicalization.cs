namespace EventMail.Protocols.MailAuth.Dkim;

/// <summary>RFC 6376 §3.4.</summary>
internal enum Canonicalization
{
    Simple,
    Relaxed,
}

internal static class Canonicalizations
{
    /// <summary>sig-c-tag-alg ["/" sig-c-tag-alg]; what is not named is simple (RFC 6376 §3.5).</summary>
    public static bool TryParse(string? text, out Canonicalization header, out Canonicalization body)
    {
        (header, body) = (Canonicalization.Simple, Canonicalization.Simple);
        if (text is null)
            return true;
        var slash = text.IndexOf('/');
        return slash < 0
            ? TryFind(text, out header)
            : TryFind(text[..slash], out header) && TryFind(text[(slash + 1)..], out body);
    }

    private static bool TryFind(string name, out Canonicalization found)
    {
        found = name == "relaxed" ? Canonicalization.Relaxed : Canonicalization.Simple;
        return name is "relaxed" or "simple";
    }
}
