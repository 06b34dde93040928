using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using EventMail.Projections.Accounts;

namespace EventMail.Protocols.Sasl;

/// <summary>OAUTHBEARER (RFC 7628) and XOAUTH2, which came before it: an access token instead of a password.</summary>
internal sealed class OAuthExchange(Authenticator authenticator, LoginContext context) : SaslExchange
{
    public const string Bearer = "OAUTHBEARER";
    public const string XOAuth2 = "XOAUTH2";

    private LoginResult? _failed;

    public override string Mechanism => context.Mechanism;

    public override async ValueTask<SaslStep> StepAsync(ReadOnlyMemory<byte>? response, CancellationToken cancel)
    {
        if (_failed is { } failed)
        {
            // RFC 7628 §3.2.3: the client has taken note with a ^A (XOAUTH2: with nothing); what it says changes nothing.
            return SaslStep.Done(failed);
        }

        if (response is not { } message)
        {
            return SaslStep.Ask(default);
        }

        if (!OAuthMessage.TryRead(message.Span, context.Mechanism == XOAuth2, out var user, out var token))
        {
            return SaslStep.Malformed;
        }

        if (authenticator.Tokens is not { } tokens)
        {
            // Whoever comes is let in: what a token says is not looked into.
            return token.Length == 0 ? SaslStep.Malformed : SaslStep.Done(
                await authenticator.PasswordAsync(user, Encoding.UTF8.GetBytes(token), context, cancel).ConfigureAwait(false));
        }

        if (token.Length == 0)
        {
            // §4.3: so a client asks for the scope. Nothing was tried.
            return Fail(new(LoginStatus.BadCredentials, null, "No token", null), "invalid_request");
        }

        var verdict = await tokens.VerifyAsync(token, cancel).ConfigureAwait(false);
        if (verdict.Error == TokenVerdict.Unavailable)
        {
            return Fail(new(LoginStatus.Unavailable, null, "Tokens cannot be checked at the moment", null), verdict.Error);
        }

        var result = verdict.Address is { } address
            ? await authenticator.TokenAsync(address, context with { ForSelf = SaslText.IsSelf(user, address) }, cancel).ConfigureAwait(false)
            : await authenticator.RefuseAsync(user, context, cancel).ConfigureAwait(false);
        if (verdict.Expired && result.Status == LoginStatus.BadCredentials)
        {
            result = result with { Status = LoginStatus.Expired, Text = "The token has expired" };
        }

        return result.Status == LoginStatus.Ok ? SaslStep.Done(result) : Fail(result, verdict.Error ?? TokenVerdict.Invalid);
    }

    // §3.2.2
    private SaslStep Fail(LoginResult result, string error)
    {
        _failed = result;
        var options = authenticator.Tokens!.Options;
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            // XOAUTH2 has HTTP's codes there.
            json.WriteString("status", context.Mechanism == XOAuth2 ? "401" : error);
            if (context.Mechanism == XOAuth2)
            {
                json.WriteString("schemes", "bearer");
            }

            if (options.Scope.Length > 0)
            {
                json.WriteString("scope", options.Scope);
            }

            if (context.Mechanism == Bearer)
            {
                json.WriteString("openid-configuration", options.OpenIdConfiguration is { Length: > 0 } configured
                    ? configured
                    : options.Issuer.TrimEnd('/') + "/.well-known/openid-configuration");
            }

            json.WriteEndObject();
        }

        return SaslStep.Ask(buffer.ToArray());
    }
}

/// <summary>The client's words in <see cref="OAuthExchange"/>.</summary>
internal static class OAuthMessage
{
    private const char Separator = '\x01';

    // client-resp = (gs2-header kvsep *kvpair kvsep) / kvsep; kvpair = key "=" value kvsep (RFC 7628 §3.1)
    // XOAUTH2: "user=" address kvsep "auth=Bearer " token kvsep kvsep
    /// <param name="user">Empty where there is none.</param>
    /// <param name="token">Empty where there is none: a client that asks for the scope.</param>
    public static bool TryRead(ReadOnlySpan<byte> message, bool xoauth2, out string user, out string token)
    {
        (user, token) = ("", "");
        if (!SaslText.TryRead(message, out var text) || !text.EndsWith(Separator))
        {
            return false;
        }

        if (text.Length == 1)
        {
            return !xoauth2;
        }

        var parts = text.Split(Separator);
        // The last pair ends in a kvsep, and so do all of them.
        if (parts.Length < 3 || parts[^2].Length > 0 || !(xoauth2 ? TryUser(parts[0], out user) : TryHeader(parts[0], out user)))
        {
            return false;
        }

        string? auth = null;
        foreach (var pair in parts.AsSpan(1, parts.Length - 3))
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0 || pair.AsSpan(0, equals).ContainsAnyExcept(Letters))
            {
                return false;
            }

            // Others are host, port and what is not known: they MUST be ignored, and behind a proxy the first two are not ours.
            if (pair.AsSpan(0, equals).Equals("auth", StringComparison.OrdinalIgnoreCase))
            {
                if (auth is not null)
                {
                    return false;
                }

                auth = pair[(equals + 1)..];
            }
        }

        return TryToken(auth ?? "", out token);
    }

    private static readonly System.Buffers.SearchValues<char> Letters =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    private static bool TryUser(string text, out string user)
    {
        user = text.StartsWith("user=", StringComparison.OrdinalIgnoreCase) ? text["user=".Length..] : "";
        return user.Length > 0;
    }

    // gs2-header = gs2-cbind-flag "," [ "a=" saslname ] ","; no binding here, so the flag is not "p".
    private static bool TryHeader(string text, out string user)
    {
        user = "";
        return text is ['n' or 'y', ',', .. var rest, ','] && (rest.Length == 0
            || (rest.StartsWith("a=", StringComparison.Ordinal) && SaslText.TryUnescapeName(rest[2..], out user)));
    }

    // RFC 6750 §2.1: "Bearer" 1*SP b64token
    private static bool TryToken(string auth, out string token)
    {
        const string scheme = "Bearer";
        token = auth.StartsWith(scheme, StringComparison.OrdinalIgnoreCase) ? auth[scheme.Length..] : auth;
        if (token.Length > 0 && token.Length == auth.Length)
        {
            return false;
        }

        token = token.Trim(' ');
        return true;
    }
}
