using System.Globalization;
using System.Net;
using EventMail.Domain.ApiKeys;
using EventMail.EventStore;
using EventMail.Host.Configuration;
using EventMail.Projections;
using EventMail.Projections.Accounts;
using EventMail.Projections.ApiKeys;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EventMail.Host.Http.Admin;

/// <summary>
/// Lets in who shows a key (RFC 6750 §2.1) that allows what it is shown for. A right key always counts: 160 bits are not guessed, and an
/// address that several share must not be locked by one of them. Wrong ones are told less the more there are.
/// </summary>
internal sealed class KeyGuard(ApiKeyService keys, HttpSettings settings, TimeProvider time, string node, ILogger log)
{
    private const string Scheme = "Bearer ";
    private const int RememberedAddresses = 10_000;

    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly BoundedCache<ClientPrefix, FailureCounter> _failures = new(RememberedAddresses);

    /// <summary>The key; null when the client was told why there is none.</summary>
    /// <param name="scope">What it must allow, or <see cref="Operation.AnyScope"/>.</param>
    public async Task<ApiKey?> AdmitAsync(HttpContext context, string scope)
    {
        var shown = context.Request.Headers.Authorization.ToString();
        if (shown.Length == 0)
        {
            await ChallengeAsync(context, "Bearer realm=\"eventmail\"", "Show an API key: Authorization: Bearer em_…; `eventmail api-key create` makes one");
            return null;
        }
        ApiKey? key;
        try
        {
            key = shown.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? await keys.VerifyAsync(shown[Scheme.Length..].Trim(), context.RequestAborted) : null;
        }
        // The keys are in memory, but whether another Host has revoked one since only the log knows.
        catch (Exception error) when (error is NpgsqlException or TimeoutException or DamagedStreamException)
        {
            log.KeysUnknown(error);
            await Problem.WriteAsync(context, StatusCodes.Status503ServiceUnavailable, "Whether the key counts cannot be looked up now", "Try again in a moment; the server's log says why");
            return null;
        }
        if (key is null)
        {
            await RefuseAsync(context);
            return null;
        }
        if (scope == Operation.AnyScope || ApiScopes.Allow(key.Scopes, scope))
            return key;
        // RFC 6750 §3.1
        context.Response.Headers.WWWAuthenticate = $"Bearer realm=\"eventmail\", error=\"insufficient_scope\", scope=\"{scope}\"";
        await Problem.WriteAsync(context, StatusCodes.Status403Forbidden, "The API key does not allow this", $"It needs the scope {scope}");
        return null;
    }

    /// <summary>The key counts still: for requests that go on for long.</summary>
    public ValueTask<bool> StillCountsAsync(ApiKey key, CancellationToken cancel) => keys.IsValidAsync(key, cancel);

    private async Task RefuseAsync(HttpContext context)
    {
        var client = ClientPrefix.Of(context.Connection.RemoteIpAddress ?? IPAddress.None);
        var counter = _failures.GetOrAdd(client, _ => new(settings.MaxFailuresPerAddress, Window));
        var (failures, begins) = counter.Add(time.GetUtcNow().Ticks, TimeSpan.Zero);
        if (failures > settings.MaxFailuresPerAddress)
        {
            if (begins)
                await NoteAsync(context, client, failures);
            context.Response.Headers.RetryAfter = Window.TotalSeconds.ToString(CultureInfo.InvariantCulture);
            await Problem.WriteAsync(context, StatusCodes.Status429TooManyRequests, "Too many wrong API keys from your address", "Wait a minute, and use a key that counts");
            return;
        }
        log.WrongKey(client);
        await ChallengeAsync(context, "Bearer realm=\"eventmail\", error=\"invalid_token\"", "There is no such API key, it has expired, or it was revoked");
    }

    // One event per episode, however long somebody guesses.
    private async Task NoteAsync(HttpContext context, ClientPrefix client, int failures)
    {
        log.TooManyWrongKeys(client, failures);
        var from = new IPEndPoint(context.Connection.RemoteIpAddress ?? IPAddress.None, context.Connection.RemotePort);
        var session = $"http-{Guid.CreateVersion7():n}";
        try
        {
            await keys.NoteThrottledAsync(client, failures, Window, Actor.ForSession("http", from, context.Connection.Id ?? session, session, node), context.RequestAborted);
        }
        catch (Exception error) when (error is NpgsqlException or TimeoutException)
        {
            // The guesser is turned away all the same.
            log.ThrottlingNotWritten(error, client);
        }
    }

    private static Task ChallengeAsync(HttpContext context, string challenge, string detail)
    {
        context.Response.Headers.WWWAuthenticate = challenge;
        return Problem.WriteAsync(context, StatusCodes.Status401Unauthorized, "An API key is needed", detail);
    }
}
