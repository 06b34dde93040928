using System.Collections.Frozen;

namespace EventMail.Projections;

/// <summary>In which kind of stream (mt_streams.type) each event stands: what verification holds the rows of streams to.</summary>
public static class EventStreams
{
    private static readonly (string Kind, string[] Aliases)[] Table =
    [
        ("account",
        [
            "account_opened", "account_suspended", "account_resumed", "account_closed", "account_reopened", "account_moved_out", "account_moved_in", "password_set", "password_rehashed",
            "recoverable_secret_enabled", "recoverable_secret_disabled", "app_password_issued", "app_password_revoked", "quota_limit_set",
            "message_limit_set", "quota_threshold_crossed", "quota_drift_found", "mailbox_subscribed", "mailbox_unsubscribed",
            "send_as_granted", "send_as_revoked", "save_sent_set", "read_audit_begun", "read_audit_ended",
        ]),
        ("mail_domain", ["domain_added", "domain_removed", "dkim_key_added", "dkim_key_activated", "dkim_key_retired"]),
        ("alias", ["alias_added", "alias_removed"]),
        ("login", ["login_succeeded", "login_failed", "login_throttled", "credentials_captured"]),
        ("api_keys", ["api_key_issued", "api_key_revoked"]),
        ("webhooks", ["webhook_added", "webhook_removed"]),
        ("mailbox",
        [
            "mailbox_created", "mailbox_renamed", "mailbox_deleted", "mailbox_acl_changed", "message_received", "message_appended",
            "messages_copied_in", "flags_changed", "messages_expunged", "recent_claimed", "messages_restored", "mailbox_restored",
        ]),
        ("metadata", ["metadata_set"]),
        ("delivery",
        [
            "message_submitted", "delivery_begun", "delivery_attempted", "recipient_delivered", "delivery_deferred", "recipient_failed",
            "delivery_outcome_unknown", "bounce_issued", "delivery_cancelled", "delivery_held", "delivery_released", "delivery_hastened",
        ]),
        ("reception", ["message_refused", "message_discarded"]),
        ("reading", ["messages_read"]),
        ("retention", ["retention_set", "retention_cleared", "legal_hold_placed", "legal_hold_released"]),
        ("release", ["contents_released"]),
        ("erasure", ["erasure_ordered", "erasure_completed"]),
        ("read_models", ["read_model_drifted", "read_model_drift_ended"]),
        ("log_audit", ["log_altered", "log_alteration_ended"]),
    ];

    /// <summary>The kind by the alias, old aliases included.</summary>
    public static IReadOnlyDictionary<string, string> Kinds { get; } =
        Table.SelectMany(row => row.Aliases.Select(alias => (alias, row.Kind))).ToFrozenDictionary(pair => pair.alias, pair => pair.Kind);
}
