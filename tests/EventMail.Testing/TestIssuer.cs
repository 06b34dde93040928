using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace EventMail.Testing;

/// <summary>An issuer of access tokens, with keys of its own.</summary>
public static class TestIssuer
{
    public const string Issuer = "https://issuer.example.test";
    public const string AccessToken = "\"typ\":\"at+jwt\",";

    private static readonly RSA Rsa = RSA.Create(2048);
    private static readonly ECDsa Ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public static string Claims(
        string? address, string issuer = Issuer, string audience = "mail-server", long? expires = 300, int notBefore = -10,
        string scope = "openid mail", object? verified = null, DateTimeOffset? now = null, params (string Name, object Value)[] more)
    {
        var seconds = (now ?? DateTimeOffset.UtcNow).ToUnixTimeSeconds();
        var claims = new Dictionary<string, object>
        {
            ["iss"] = issuer,
            ["aud"] = new[] { "other", audience },
            ["nbf"] = seconds + notBefore,
            ["scope"] = scope,
            ["email_verified"] = verified ?? true,
        };
        if (expires is { } after)
        {
            claims["exp"] = seconds + after;
        }

        if (address is not null)
        {
            claims["email"] = address;
        }

        foreach (var (name, value) in more)
        {
            claims[name] = value;
        }

        return JsonSerializer.Serialize(claims);
    }

    /// <param name="header">What the header has beside alg and kid, each with its comma.</param>
    public static string Token(string algorithm, string key, string claims, RSA? rsa = null, string header = AccessToken)
    {
        var signed = $"{Url($$"""{"alg":"{{algorithm}}",{{header}}"kid":"{{key}}"}""")}.{Url(claims)}";
        var bytes = Encoding.ASCII.GetBytes(signed);
        var signature = algorithm switch
        {
            "RS256" => (rsa ?? Rsa).SignData(bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
            "PS256" => (rsa ?? Rsa).SignData(bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pss),
            "ES256" => Ec.SignData(bytes, HashAlgorithmName.SHA256),
            // The classic: the public key taken for a shared secret.
            _ => HMACSHA256.HashData(Rsa.ExportSubjectPublicKeyInfo(), bytes),
        };
        return $"{signed}.{System.Buffers.Text.Base64Url.EncodeToString(signature)}";
    }

    public static string Altered(string token, string claims)
    {
        var parts = token.Split('.');
        return $"{parts[0]}.{Url(claims)}.{parts[2]}";
    }

    public static string Jwks(params (string Id, RSA Key)[] more)
    {
        var ec = Ec.ExportParameters(false);
        IEnumerable<object> keys =
        [
            .. more.Append(("r1", Rsa)).Select(pair => (object)new
            {
                kty = "RSA",
                use = "sig",
                kid = pair.Item1,
                n = System.Buffers.Text.Base64Url.EncodeToString(pair.Item2.ExportParameters(false).Modulus),
                e = System.Buffers.Text.Base64Url.EncodeToString(pair.Item2.ExportParameters(false).Exponent),
            }),
            new
            {
                kty = "EC",
                use = "sig",
                kid = "e1",
                crv = "P-256",
                x = System.Buffers.Text.Base64Url.EncodeToString(ec.Q.X),
                y = System.Buffers.Text.Base64Url.EncodeToString(ec.Q.Y),
            },
        ];
        return JsonSerializer.Serialize(new { keys });
    }

    public static string Url(string text) => System.Buffers.Text.Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));

    public static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
