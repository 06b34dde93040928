using Microsoft.IdentityModel.JsonWebTokens;

namespace EventMail.Projections.Accounts;

/// <summary>Tells access tokens from the other tokens of the same issuer, which bear the same signature.</summary>
internal static class TokenTypes
{
    // OpenID Connect Core §3.1.3.6, §3.3.2.11: hashes of what an ID token was handed out with.
    private static readonly string[] OfIdTokens = ["at_hash", "c_hash", "s_hash"];

    /// <param name="acceptUnmarked">For issuers whose access tokens are of type JWT, or of none: what is plainly something else is refused still.</param>
    public static bool IsAccessToken(JsonWebToken jwt, bool acceptUnmarked)
    {
        // RFC 7515 §4.1.11: an extension that must be understood, and none is.
        if (jwt.TryGetHeaderValue<object>("crit", out _))
            return false;
        // RFC 9068 §4; RFC 7515 §4.1.9: a media type, in any case, whose "application/" may be left out.
        var type = jwt.Typ ?? "";
        if (Is(type, "at+jwt") || Is(type, "application/at+jwt"))
            return true;
        return acceptUnmarked && (type.Length == 0 || Is(type, "JWT") || Is(type, "application/jwt")) && !IsPlainlyAnother(jwt);
    }

    private static bool IsPlainlyAnother(JsonWebToken jwt)
    {
        // Some issuers have the type among the claims: Bearer, and ID, Refresh, Logout.
        var isBearer = jwt.TryGetPayloadValue<object>("typ", out var typ) && typ is string text && Is(text, "Bearer");
        return (typ is not null && !isBearer) || Array.Exists(OfIdTokens, claim => jwt.TryGetPayloadValue<object>(claim, out _))
            // OpenID Connect Core §2: ID tokens repeat the client's nonce; of access tokens only such as say that they are.
            || (!isBearer && jwt.TryGetPayloadValue<object>("nonce", out _));
    }

    private static bool Is(string text, string type) => text.Equals(type, StringComparison.OrdinalIgnoreCase);
}
