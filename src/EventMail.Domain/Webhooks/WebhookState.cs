using System.Collections.Immutable;
using EventMail.Domain.Accounts;

namespace EventMail.Domain.Webhooks;

/// <summary>A webhook that was not removed.</summary>
public sealed record Webhook(string Id, string Url, ImmutableArray<string>? Types, string? Account, long From, RecoverableSecret Secret, DateTimeOffset Added);

/// <summary>All webhooks, folded from their stream. Immutable.</summary>
/// <param name="Hooks">By id.</param>
public sealed record WebhookState(ImmutableSortedDictionary<string, Webhook> Hooks)
{
    public static readonly WebhookState Empty = new(ImmutableSortedDictionary.Create<string, Webhook>(StringComparer.Ordinal));

    public WebhookState Evolve(object @event, DateTimeOffset at) => @event switch
    {
        WebhookAdded e => new(Hooks.SetItem(e.Id, new(e.Id, e.Url, e.Types is { } types ? [.. types] : null, e.Account, e.From, e.Secret, at))),
        WebhookRemoved e => new(Hooks.Remove(e.Id)),
        _ => throw new ArgumentException($"not an event of webhooks: {@event.GetType().Name}", nameof(@event)),
    };
}

/// <summary>What may happen to webhooks. Pure.</summary>
public static class WebhookDecider
{
    /// <summary>Each reads the log for itself.</summary>
    public const int MaxHooks = 50;

    private const int MaxUrl = 2000;

    public static readonly Rejection Missing = new(RejectionKind.NonExistent, "No such webhook");

    public static Result<object[]> Add(WebhookState state, WebhookAdded added) =>
        added.Url.Length > MaxUrl || !Uri.TryCreate(added.Url, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https")
            ? Rejection.Invalid("A webhook is a URL of https")
        : url.UserInfo.Length > 0 ? Rejection.Invalid("A webhook's URL has no user and no password; its requests are signed")
        // Signed is not encrypted: what it is sent is people's mail.
        : url.Scheme == "http" && !url.IsLoopback ? Rejection.Invalid("A webhook on another machine is a URL of https")
        : state.Hooks.Count >= MaxHooks ? Rejection.Limit("Too many webhooks")
        : (object[])[added];

    public static Result<object[]> Remove(WebhookState state, string id) =>
        !state.Hooks.TryGetValue(id, out var hook) ? Missing : (object[])[new WebhookRemoved(hook.Id, hook.Url)];
}
