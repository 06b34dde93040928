using EventMail.Domain.Accounts;

namespace EventMail.Domain.Webhooks;

// The events of webhooks: one stream of all of them, in the tenant that belongs to nobody.

/// <param name="Types">Aliases of events; null for all.</param>
/// <param name="Account">Only events of this account's streams: its id; null for all.</param>
/// <param name="From">The position in the log behind which it begins.</param>
/// <param name="Secret">What its requests are signed with, encrypted.</param>
public sealed record WebhookAdded(string Id, string Url, string[]? Types, string? Account, long From, RecoverableSecret Secret);

public sealed record WebhookRemoved(string Id, string Url);
