namespace EventMail.Projections.Accounts;

/// <summary>Whose access tokens are taken instead of passwords (OAUTHBEARER, XOAUTH2).</summary>
public sealed record OAuthOptions
{
    /// <summary>The claim iss, letter by letter.</summary>
    public required string Issuer { get; init; }

    /// <summary>One of the claim aud.</summary>
    public required string Audience { get; init; }

    /// <summary>The issuer's key set (JWKS, RFC 7517): a file, or a URL of https (of http on this machine).</summary>
    public required string Keys { get; init; }

    /// <summary>The claim that holds the account's address.</summary>
    public string AddressClaim { get; init; } = "email";

    /// <summary>What must be among the claim scope (or scp); empty for nothing. Clients are told it.</summary>
    public string Scope { get; init; } = "";

    /// <summary>
    /// Takes tokens of type JWT, or of none, beside those that say that they are access tokens (at+jwt, RFC 9068 §2.1): for issuers
    /// that do not mark them.
    /// </summary>
    public bool AcceptUnmarked { get; init; }

    /// <summary>Where clients learn about the issuer; told to clients. Empty for the place below the issuer that OpenID names.</summary>
    public string OpenIdConfiguration { get; init; } = "";

    /// <summary>How far the issuer's clock may be from ours.</summary>
    public TimeSpan ClockSkew { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How old the key set may be before it is read again.</summary>
    public TimeSpan RefreshEvery { get; init; } = TimeSpan.FromHours(1);

    /// <summary>A token of an unknown key makes it be read again, but not more often than this.</summary>
    public TimeSpan RefreshAtMostEvery { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a key set that cannot be read again is good for.</summary>
    public TimeSpan KeepFor { get; init; } = TimeSpan.FromDays(1);

    /// <summary>How long reading it may take.</summary>
    public TimeSpan FetchTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Octets of the key set.</summary>
    public int MaxKeySetSize { get; init; } = 256 * 1024;
}
