using System.Security.Cryptography;
using System.Text;
using EventMail.Domain;
using EventMail.Domain.Accounts;
using EventMail.Domain.ApiKeys;
using EventMail.EventStore;
using EventMail.Projections.Accounts;

namespace EventMail.Projections.ApiKeys;

/// <summary>
/// Keys to the admin API: `em_ID_SECRET`, of which only a digest of the secret is kept. A task that ends without a rejection is
/// durable. Thread-safe.
/// </summary>
public sealed class ApiKeyService(EventLog log, TimeProvider time)
{
    /// <summary>What every key begins with, so that programs which look for secrets in files find it.</summary>
    public const string Prefix = "em_";

    // RFC 4648 §6, in lower case: 32 letters are 160 bits.
    private const string Alphabet = "abcdefghijklmnopqrstuvwxyz234567";
    private const int IdLetters = 8;
    private const int SecretLetters = 32;
    private const int KeyLetters = 3 + IdLetters + 1 + SecretLetters;

    /// <param name="expires">Null: until it is revoked.</param>
    public async Task<Result<IssuedApiKey>> IssueAsync(
        string name, IReadOnlyList<string> scopes, DateTimeOffset? expires, Actor actor, CancellationToken cancel)
    {
        var id = RandomNumberGenerator.GetString(Alphabet, IdLetters);
        var secret = RandomNumberGenerator.GetString(Alphabet, SecretLetters);
        var issued = new ApiKeyIssued(id, name, [.. scopes.Distinct()], expires?.ToUniversalTime(), Convert.ToHexStringLower(DigestOf(secret)));
        var (state, rejection) = await ChangeAsync(keys => ApiKeyDecider.Issue(keys, issued, time.GetUtcNow()), actor, cancel);
        return rejection ?? (Result<IssuedApiKey>)new IssuedApiKey(state!.Keys[id], $"{Prefix}{id}_{secret}");
    }

    /// <summary>Ends a key on all nodes.</summary>
    public async Task<Result<Unit>> RevokeAsync(string idOrName, Actor actor, CancellationToken cancel) =>
        (await ChangeAsync(keys => ApiKeyDecider.Revoke(keys, idOrName), actor, cancel)).Rejection is { } rejection ? rejection : default(Unit);

    /// <summary>In the order of their names; expired ones among them.</summary>
    public async Task<IReadOnlyList<ApiKey>> ListAsync(CancellationToken cancel) =>
        [.. (await StateAsync(cancel)).Keys.Values.OrderBy(key => key.Name, StringComparer.Ordinal)];

    /// <summary>The key that somebody shows, if it counts now. What is wrong with it is not told.</summary>
    public async ValueTask<ApiKey?> VerifyAsync(string shown, CancellationToken cancel)
    {
        if (shown.Length != KeyLetters || !shown.StartsWith(Prefix, StringComparison.Ordinal) || shown[Prefix.Length + IdLetters] != '_')
            return null;
        var digest = DigestOf(shown[^SecretLetters..]);
        var keys = (await StateAsync(cancel)).Keys;
        return keys.TryGetValue(shown.Substring(Prefix.Length, IdLetters), out var key)
            && CryptographicOperations.FixedTimeEquals(digest, Convert.FromHexString(key.Sha256)) && !key.IsExpired(time.GetUtcNow())
                ? key
                : null;
    }

    /// <summary>It was neither revoked nor has it expired since it was verified.</summary>
    public async ValueTask<bool> IsValidAsync(ApiKey key, CancellationToken cancel) =>
        (await StateAsync(cancel)).Keys.ContainsKey(key.Id) && !key.IsExpired(time.GetUtcNow());

    /// <summary>Somebody shows wrong keys, more than are answered: an event among the logins that are nobody's. Nobody is locked out by it.</summary>
    public Task NoteThrottledAsync(ClientPrefix source, int failures, TimeSpan window, Actor actor, CancellationToken cancel)
    {
        var stream = AccountStreamKinds.StrangersStream(time.GetUtcNow());
        var throttled = new LoginThrottled(LoginThrottle.ByAddress, source.ToString(), "", "http", failures, (int)window.TotalSeconds, 0);
        return log.Executor.ExecuteAsync(new AccountCommand(actor.Because(null), [stream], decision => decision.Append(stream.Key, throttled)), cancel);
    }

    private static byte[] DigestOf(string secret) => SHA256.HashData(Encoding.ASCII.GetBytes(secret));

    private async ValueTask<ApiKeyState> StateAsync(CancellationToken cancel) =>
        (ApiKeyState)(await log.Executor.RefreshAsync(ApiKeyKind.Stream, cancel)).State;

    private async Task<(ApiKeyState? State, Rejection? Rejection)> ChangeAsync(
        Func<ApiKeyState, Result<object[]>> decide, Actor actor, CancellationToken cancel)
    {
        var outcome = await log.Executor.ExecuteAsync(new AccountCommand(actor.Because(null), [ApiKeyKind.Stream], decision =>
        {
            if (decision.Apply(ApiKeyKind.Stream.Key, decide(decision.State<ApiKeyState>(ApiKeyKind.Stream.Key))))
                decision.Result = decision.State<ApiKeyState>(ApiKeyKind.Stream.Key);
        }), cancel);
        return (outcome.Result as ApiKeyState, outcome.Rejection as Rejection);
    }
}

/// <summary>To be shown once: the key itself is kept nowhere.</summary>
public sealed record IssuedApiKey(ApiKey Entry, string Key);
