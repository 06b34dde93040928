using System.Net.Http.Headers;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Tokens;

namespace EventMail.Projections.Accounts;

/// <summary>
/// An issuer's public keys, read when they are first needed, when they are old, and when a token names one that is not known (the
/// issuer may have changed them a moment ago). Thread-safe.
/// </summary>
internal sealed class IssuerKeys
{
    private const int LeastRsaBits = 2048;

    private sealed record KeySet(IReadOnlyList<SecurityKey> Keys, DateTimeOffset Read);

    private readonly OAuthOptions _options;
    private readonly ILogger _log;
    private readonly TimeProvider _time;
    private readonly Uri? _url;
    private readonly HttpClient? _http;
    private readonly SemaphoreSlim _reading = new(1);
    private volatile KeySet? _set;
    private DateTimeOffset _tried;

    public IssuerKeys(OAuthOptions options, ILogger log, TimeProvider time)
    {
        (_options, _log, _time) = (options, log, time);
        if (!options.Keys.Contains("://", StringComparison.Ordinal))
            return;
        _url = new(options.Keys);
        if (_url.Scheme != Uri.UriSchemeHttps && !(_url.Scheme == Uri.UriSchemeHttp && _url.IsLoopback))
            throw new ArgumentException($"the issuer's keys need https: {options.Keys}", nameof(options));
        // No redirects: they could lead away from https.
        _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false })
        {
            Timeout = options.FetchTimeout,
            MaxResponseContentBufferSize = options.MaxKeySetSize,
        };
        _http.DefaultRequestHeaders.Accept.Add(MediaTypeWithQualityHeaderValue.Parse("application/json"));
    }

    /// <summary>Null when there are none to be had at the moment.</summary>
    /// <param name="keyId">What the token names (kid), or null.</param>
    public async ValueTask<IReadOnlyList<SecurityKey>?> ForAsync(string? keyId, CancellationToken cancel)
    {
        if (!IsWanting(keyId))
            return _set!.Keys;
        await _reading.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            // Somebody else may have read them meanwhile; or tried in vain.
            if (IsWanting(keyId) && _time.GetUtcNow() - _tried >= _options.RefreshAtMostEvery)
            {
                _tried = _time.GetUtcNow();
                await ReadAsync(cancel).ConfigureAwait(false);
            }
        }
        finally
        {
            _reading.Release();
        }

        return _set is { } set && _time.GetUtcNow() - set.Read < _options.KeepFor ? set.Keys : null;
    }

    private bool IsWanting(string? keyId) =>
        _set is not { } set || _time.GetUtcNow() - set.Read >= _options.RefreshEvery
        || (keyId is not null && !set.Keys.Any(key => key.KeyId == keyId));

    private async Task ReadAsync(CancellationToken cancel)
    {
        try
        {
            var json = _http is null
                ? await ReadFileAsync(cancel).ConfigureAwait(false)
                : await _http.GetStringAsync(_url, cancel).ConfigureAwait(false);
            _set = new([.. new JsonWebKeySet(json).GetSigningKeys().Where(IsGoodEnough)], _time.GetUtcNow());
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or HttpRequestException
            or OperationCanceledException or ArgumentException or InvalidOperationException && !cancel.IsCancellationRequested)
        {
            _log.IssuerKeysUnreadable(error, _options.Keys);
        }
    }

    private async Task<string> ReadFileAsync(CancellationToken cancel)
    {
        if (new FileInfo(_options.Keys) is { Exists: true } file && file.Length > _options.MaxKeySetSize)
            throw new IOException($"more than {_options.MaxKeySetSize} bytes");
        return await File.ReadAllTextAsync(_options.Keys, cancel).ConfigureAwait(false);
    }

    // No shared secrets: who could read this file could make tokens.
    private static bool IsGoodEnough(SecurityKey key) => key switch
    {
        JsonWebKey { Kty: JsonWebAlgorithmsKeyTypes.EllipticCurve } => true,
        JsonWebKey { Kty: JsonWebAlgorithmsKeyTypes.RSA } or RsaSecurityKey or X509SecurityKey => key.KeySize >= LeastRsaBits,
        ECDsaSecurityKey => true,
        _ => false,
    };
}
