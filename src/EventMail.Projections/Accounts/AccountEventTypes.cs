using System.Text.Json.Serialization;
using EventMail.Domain.Accounts;
using EventMail.EventStore;

namespace EventMail.Projections.Accounts;

/// <summary>The aliases of the events of accounts, domains, aliases and logins.</summary>
public static class AccountEventTypes
{
    public static void Register(EventTypeMap map)
    {
        var json = AccountEventJson.Default;
        map.Register("account_opened", json.AccountOpened)
            .Register("password_set", json.PasswordSet)
            .Register("password_rehashed", json.PasswordRehashed)
            .Register("recoverable_secret_enabled", json.RecoverableSecretEnabled)
            .Register("recoverable_secret_disabled", json.RecoverableSecretDisabled)
            .Register("app_password_issued", json.AppPasswordIssued)
            .Register("app_password_revoked", json.AppPasswordRevoked)
            .Register("quota_limit_set", json.QuotaLimitSet)
            .Register("message_limit_set", json.MessageLimitSet)
            .Register("quota_threshold_crossed", json.QuotaThresholdCrossed)
            .Register("quota_drift_found", json.QuotaDriftFound)
            .Register("account_suspended", json.AccountSuspended)
            .Register("account_resumed", json.AccountResumed)
            .Register("account_closed", json.AccountClosed)
            .Register("account_reopened", json.AccountReopened)
            .Register("account_moved_out", json.AccountMovedOut)
            .Register("account_moved_in", json.AccountMovedIn)
            .Register("mailbox_subscribed", json.MailboxSubscribed)
            .Register("mailbox_unsubscribed", json.MailboxUnsubscribed)
            .Register("send_as_granted", json.SendAsGranted)
            .Register("send_as_revoked", json.SendAsRevoked)
            .Register("save_sent_set", json.SaveSentSet)
            .Register("read_audit_begun", json.ReadAuditBegun)
            .Register("read_audit_ended", json.ReadAuditEnded)
            .Register("domain_added", json.DomainAdded)
            .Register("domain_removed", json.DomainRemoved)
            .Register("dkim_key_added", json.DkimKeyAdded)
            .Register("dkim_key_activated", json.DkimKeyActivated)
            .Register("dkim_key_retired", json.DkimKeyRetired)
            .Register("alias_added", json.AliasAdded)
            .Register("alias_removed", json.AliasRemoved)
            .Register("login_succeeded", json.LoginSucceeded)
            .Register("login_failed", json.LoginFailed)
            .Register("login_throttled", json.LoginThrottled)
            .Register("credentials_captured", json.CredentialsCaptured);
    }
}

[JsonSerializable(typeof(AccountOpened))]
[JsonSerializable(typeof(PasswordSet))]
[JsonSerializable(typeof(PasswordRehashed))]
[JsonSerializable(typeof(RecoverableSecretEnabled))]
[JsonSerializable(typeof(RecoverableSecretDisabled))]
[JsonSerializable(typeof(AppPasswordIssued))]
[JsonSerializable(typeof(AppPasswordRevoked))]
[JsonSerializable(typeof(QuotaLimitSet))]
[JsonSerializable(typeof(MessageLimitSet))]
[JsonSerializable(typeof(QuotaThresholdCrossed))]
[JsonSerializable(typeof(QuotaDriftFound))]
[JsonSerializable(typeof(AccountSuspended))]
[JsonSerializable(typeof(AccountResumed))]
[JsonSerializable(typeof(AccountClosed))]
[JsonSerializable(typeof(AccountReopened))]
[JsonSerializable(typeof(AccountMovedOut))]
[JsonSerializable(typeof(AccountMovedIn))]
[JsonSerializable(typeof(MailboxSubscribed))]
[JsonSerializable(typeof(MailboxUnsubscribed))]
[JsonSerializable(typeof(SendAsGranted))]
[JsonSerializable(typeof(SendAsRevoked))]
[JsonSerializable(typeof(SaveSentSet))]
[JsonSerializable(typeof(ReadAuditBegun))]
[JsonSerializable(typeof(ReadAuditEnded))]
[JsonSerializable(typeof(DomainAdded))]
[JsonSerializable(typeof(DomainRemoved))]
[JsonSerializable(typeof(DkimKeyAdded))]
[JsonSerializable(typeof(DkimKeyActivated))]
[JsonSerializable(typeof(DkimKeyRetired))]
[JsonSerializable(typeof(AliasAdded))]
[JsonSerializable(typeof(AliasRemoved))]
[JsonSerializable(typeof(LoginSucceeded))]
[JsonSerializable(typeof(LoginFailed))]
[JsonSerializable(typeof(LoginThrottled))]
[JsonSerializable(typeof(CredentialsCaptured))]
internal sealed partial class AccountEventJson : JsonSerializerContext;
