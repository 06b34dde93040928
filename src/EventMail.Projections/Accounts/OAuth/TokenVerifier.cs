using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace EventMail.Projections.Accounts;

/// <summary>What an access token was found to be: an error of RFC 6749's registry, or null and the address of its owner.</summary>
/// <param name="Address">Null where the token is not good.</param>
public readonly record struct TokenVerdict(string? Error, string? Address)
{
    public const string Invalid = "invalid_token";
    public const string TooNarrow = "insufficient_scope";
    public const string Unavailable = "temporarily_unavailable";

    /// <summary>The issuer's own, but of the past: the client should get a new one.</summary>
    public bool Expired { get; init; }
}

/// <summary>
/// Checks access tokens (JWT, RFC 7519, RFC 9068 §4) by the issuer's public keys: signature, issuer, audience, lifetime, type, scope.
/// Thread-safe.
/// </summary>
public sealed class TokenVerifier
{
    /// <summary>Longer ones are not looked at; in octets.</summary>
    public const int MaxToken = 16 * 1024;

    // Signatures by private keys only: never none, and never HMAC, whose key would be public here.
    private static readonly string[] Algorithms =
    [
        SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSha384, SecurityAlgorithms.RsaSha512,
        SecurityAlgorithms.RsaSsaPssSha256, SecurityAlgorithms.RsaSsaPssSha384, SecurityAlgorithms.RsaSsaPssSha512,
        SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.EcdsaSha384, SecurityAlgorithms.EcdsaSha512,
    ];

    private readonly JsonWebTokenHandler _handler = new() { MaximumTokenSizeInBytes = MaxToken };
    // Keys come and go with the issuer's set: nothing of them is kept beyond it.
    private readonly CryptoProviderFactory _crypto = new() { CacheSignatureProviders = false };
    private readonly IssuerKeys _keys;
    private readonly ILogger _log;
    private readonly TimeProvider _time;

    public TokenVerifier(OAuthOptions options, ILogger log, TimeProvider time)
    {
        (Options, _log, _time) = (options, log, time);
        _keys = new(options, log, time);
    }

    public OAuthOptions Options { get; }

    public async ValueTask<TokenVerdict> VerifyAsync(string token, CancellationToken cancel)
    {
        if (token.Length > MaxToken || !_handler.CanReadToken(token) || Read(token) is not { } jwt)
            return new(TokenVerdict.Invalid, null);
        if (await _keys.ForAsync(jwt.Kid is { Length: > 0 } kid ? kid : null, cancel).ConfigureAwait(false) is not { } keys)
            return new(TokenVerdict.Unavailable, null);

        var result = _handler.ValidateToken(token, new()
        {
            ValidIssuer = Options.Issuer,
            ValidAudience = Options.Audience,
            IssuerSigningKeys = keys,
            ValidateIssuerSigningKey = true,
            ValidAlgorithms = Algorithms,
            RequireSignedTokens = true,
            RequireExpirationTime = true,
            RequireAudience = true,
            // Below, by our own clock.
            ValidateLifetime = false,
            CryptoProviderFactory = _crypto,
        });
        if (!result.IsValid || !IsCurrent(jwt))
            return new(TokenVerdict.Invalid, null) { Expired = result.IsValid && HasExpired(jwt) };
        if (!TokenTypes.IsAccessToken(jwt, Options.AcceptUnmarked))
        {
            _log.TokenTypeRefused(jwt.Typ ?? "", Options.AcceptUnmarked);
            return new(TokenVerdict.Invalid, null);
        }
        if (Options.Scope.Length > 0 && !Scopes(jwt).Contains(Options.Scope))
            return new(TokenVerdict.TooNarrow, null);
        // OpenID Connect Core §5.1: an address that nobody has checked is anybody's.
        var unverified = Options.AddressClaim == "email" && jwt.TryGetClaim("email_verified", out var verified) && !IsTrue(verified.Value);
        return !unverified && jwt.TryGetPayloadValue(Options.AddressClaim, out string address) && address is { Length: > 0 }
            ? new(null, address)
            : new(TokenVerdict.Invalid, null);
    }

    private static JsonWebToken? Read(string token)
    {
        try
        {
            return new(token);
        }
        catch (Exception error) when (error is ArgumentException or JsonException or SecurityTokenException)
        {
            // Three pieces of base64 that hold something else: no token.
            return null;
        }
    }

    // Some issuers have it as a string.
    private static bool IsTrue(string value) => bool.TryParse(value, out var isTrue) && isTrue;

    // RFC 7519 §4.1.4, §4.1.5
    private bool IsCurrent(JsonWebToken jwt) =>
        jwt.ValidTo != DateTime.MinValue && !HasExpired(jwt)
        && (jwt.ValidFrom == DateTime.MinValue || _time.GetUtcNow().UtcDateTime + Options.ClockSkew >= jwt.ValidFrom);

    private bool HasExpired(JsonWebToken jwt) =>
        jwt.ValidTo != DateTime.MinValue && _time.GetUtcNow().UtcDateTime - Options.ClockSkew >= jwt.ValidTo;

    // scope (RFC 9068 §2.2.3) is one string; scp is what others have, a string or a list.
    private static IEnumerable<string> Scopes(JsonWebToken jwt) =>
        jwt.Claims.Where(claim => claim.Type is "scope" or "scp").SelectMany(claim => claim.Value.Split(' '));
}
