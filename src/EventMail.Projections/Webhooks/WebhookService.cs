using System.Security.Cryptography;
using EventMail.Domain;
using EventMail.Domain.Webhooks;
using EventMail.EventStore;
using EventMail.Projections.Accounts;

namespace EventMail.Projections.Webhooks;

/// <summary>Adds and removes webhooks; what each has been sent is in <see cref="Progress"/>. A task that ends without a rejection is durable. Thread-safe.</summary>
/// <param name="refuses">Why a webhook may not lead where this URL does; null where it may, as far as the URL says.</param>
public sealed class WebhookService(EventLog log, SecretKey key, Func<Uri, Rejection?> refuses)
{
    private const int SecretBytes = 32;

    public WebhookProgress Progress { get; } = new(log.DataSource);

    /// <param name="types">Aliases; null for all.</param>
    /// <param name="account">An id; null for all.</param>
    public async Task<Result<AddedWebhook>> AddAsync(string url, IReadOnlyList<string>? types, string? account, Actor actor, CancellationToken cancel)
    {
        if (types?.FirstOrDefault(type => !log.Types.Aliases.Contains(type)) is { } unknown)
            return Rejection.Invalid($"{unknown} is no type of events; docs/events.md lists them");
        if (Uri.TryCreate(url, UriKind.Absolute, out var target) && refuses(target) is { } refused)
            return refused;
        var id = AppPasswords.NewAccountId();
        var secret = RandomNumberGenerator.GetBytes(SecretBytes);
        var added = new WebhookAdded(
            id, url, types is { Count: > 0 } ? [.. types.Distinct()] : null, account, await log.Reader.EndAsync(cancel), key.Encrypt(Owner(id), secret));
        var outcome = await ExecuteAsync(state => WebhookDecider.Add(state, added), actor, cancel);
        return outcome.Rejection is Rejection rejection ? rejection : new AddedWebhook(id, $"whsec_{Convert.ToBase64String(secret)}");
    }

    public async Task<Result<Unit>> RemoveAsync(string id, Actor actor, CancellationToken cancel)
    {
        if ((await ExecuteAsync(state => WebhookDecider.Remove(state, id), actor, cancel)).Rejection is Rejection rejection)
            return rejection;
        await Progress.ForgetAsync(id, cancel);
        return default(Unit);
    }

    public async ValueTask<IReadOnlyList<Webhook>> ListAsync(CancellationToken cancel) =>
        [.. ((WebhookState)(await log.Executor.RefreshAsync(WebhookKind.Stream, cancel)).State).Hooks.Values.OrderBy(hook => hook.Added)];

    /// <summary>What its requests are signed with; null when this data folder's key is not the one that it was made with.</summary>
    public byte[]? SecretOf(Webhook hook) => key.Decrypt(Owner(hook.Id), hook.Secret);

    // What the encryption is bound to: no account's id has a slash.
    private static string Owner(string id) => $"webhook/{id}";

    private Task<Outcome> ExecuteAsync(Func<WebhookState, Result<object[]>> decide, Actor actor, CancellationToken cancel) =>
        log.Executor.ExecuteAsync(
            new AccountCommand(
                actor.Because(null), [WebhookKind.Stream],
                decision => decision.Apply(WebhookKind.Stream.Key, decide(decision.State<WebhookState>(WebhookKind.Stream.Key)))),
            cancel);
}

/// <param name="Secret">`whsec_` and base64, as https://www.standardwebhooks.com writes it. To be shown once.</param>
public sealed record AddedWebhook(string Id, string Secret);
