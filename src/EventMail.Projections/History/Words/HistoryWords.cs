using System.Globalization;
using EventMail.Domain;
using EventMail.Domain.Accounts;
using EventMail.Domain.ApiKeys;
using EventMail.Domain.Auditing;
using EventMail.Domain.Mailboxes;
using EventMail.Domain.Metadata;
using EventMail.Domain.Reading;
using EventMail.Domain.Reception;
using EventMail.Domain.Retention;
using EventMail.Domain.ReadModels;
using EventMail.Domain.Webhooks;

namespace EventMail.Projections.History.Words;

/// <summary>What an event says, as a sentence without its subject. Never a secret.</summary>
internal static class HistoryWords
{
    /// <summary>Of an event of a version that this one does not know: its type is told beside this.</summary>
    public const string Unknown = "(not known to this version)";

    /// <param name="nameOf">A mailbox's name by its stream.</param>
    /// <param name="userOf">An account's address by its id; the identifier itself where it is no account's.</param>
    public static string Of(object e, Func<Guid, string> nameOf, Func<string, string> userOf) => e switch
    {
        MessageReceived m =>
            $"received message {m.Uid} from <{m.ReversePath}> for <{m.Recipient}>, {Octets(m.Content.Size)}{MessageId(m.MessageId)}{ReceptionWords.Of(m.Authentication, m.Verdicts)}",
        MessageRefused m =>
            $"refused a message from <{m.ReversePath}> for <{m.Recipient}>{(m.Size > 0 ? $", {Octets(m.Size)}" : "")}{MessageId(m.MessageId)} ({m.By}): {m.Reply}{ReceptionWords.Of(m.Authentication, m.Verdicts)}",
        MessageDiscarded m =>
            $"threw away a message from <{m.ReversePath}> for <{m.Recipient}>, {Octets(m.Size)}{MessageId(m.MessageId)}, because a filter wanted it so ({m.By}){ReceptionWords.Of(m.Authentication, m.Verdicts)}",
        MessageAppended m => $"message {m.Uid} put here, {Octets(m.Content.Size)}{MessageId(m.MessageId)}{Flagged(m.Flags)}",
        MessagesCopiedIn m => $"{Messages(m.Uids)} {(m.Moved ? "moved" : "copied")} here from {nameOf(m.Source)} (there {m.SourceUids})",
        MessagesRestored m => $"{Messages(m.Uids)} restored here from {nameOf(m.Source)} as of its change {m.Version} (there {m.SourceUids})",
        FlagsChanged m => string.Join("; ", m.Changes.Select(ChangeOf)),
        MessagesExpunged { MovedTo: { } to } m => $"{Messages(m.Uids)} moved away to {nameOf(to)}",
        MessagesExpunged m => $"{Messages(m.Uids)} deleted for good, {Octets(m.Bytes)}",
        RecentClaimed m => $"messages up to {m.UpTo} seen as new by a client",
        MailboxCreated m => $"mailbox {m.Name} created{(m.SpecialUse is { } use ? $" as {use}" : "")}, UIDVALIDITY {m.UidValidity}",
        MailboxRenamed m => $"mailbox {m.From} renamed to {m.To}",
        MailboxAclChanged m when m.Rights.Length == 0 => $"nothing said any more of the rights of {userOf(m.Identifier)}",
        MailboxAclChanged m when m.Identifier[0] == '-' => $"rights {m.Rights} taken from {userOf(m.Identifier[1..])}",
        MailboxAclChanged m => $"rights {m.Rights} given to {userOf(m.Identifier)}",
        MailboxRestored m => $"mailbox {m.Name} restored with its messages",
        MailboxDeleted m => $"mailbox {m.Name} deleted with {Amount.Of(m.Messages, "message")}, {Octets(m.Bytes)}",
        MetadataSet m => string.Join("; ", m.Entries.Select(entry => $"annotation {entry.Entry} {(entry.Value is { } value ? $"set, {Octets(value.Length)}" : "removed")}"))
            + (m.Mailbox is { } annotated ? $" on {nameOf(annotated)}" : ""),
        MailboxSubscribed m => $"subscribed to {m.Name}",
        MailboxUnsubscribed m => $"unsubscribed from {m.Name}",
        SendAsGranted a => $"may send as {a.Address}",
        SendAsRevoked a => $"may no longer send as {a.Address}",
        SaveSentSet a => a.Enabled ? "what it submits is saved by the server" : "what it submits is no longer saved by the server",
        AccountOpened a => $"account {a.Address} opened with a quota of {Octets(a.QuotaLimit)}{(a.Administrator ? ", as administrator" : "")}",
        PasswordSet => "password set",
        PasswordRehashed => "password kept under new hash parameters",
        RecoverableSecretEnabled => "APOP and CRAM-MD5 switched on",
        RecoverableSecretDisabled => "APOP and CRAM-MD5 switched off",
        AppPasswordIssued a => $"app password {a.Name} issued ({a.Id})",
        AppPasswordRevoked a => $"app password {a.Name} revoked ({a.Id})",
        QuotaLimitSet a => $"quota set to {Octets(a.Limit)}",
        MessageLimitSet a => a.Limit is { } limit ? $"limited to {Amount.Of(limit, "message")}" : "not limited in messages any more",
        QuotaThresholdCrossed a =>
            $"mail {(a.Percent > 0 ? $"reached {a.Percent} % of" : "is back below all warning marks of")} the quota: {Octets(a.Used)} of {Octets(a.Limit)}",
        QuotaDriftFound a => string.Create(CultureInfo.InvariantCulture,
            $"ALARM: the total kept was {Octets(a.KeptBytes)} in {Amount.Of(a.KeptMessages, "message")}, the mailboxes have {Octets(a.Bytes)} in {a.Messages}; put right"),
        AccountSuspended a => $"account suspended{(a.Reason is { } reason ? $": {reason}" : "")}",
        AccountResumed => "account resumed",
        AccountMovedOut a => $"account moved to {a.To}",
        AccountMovedIn a => $"account moved here from {a.From}",
        AccountClosed a => $"account {a.Address} closed",
        AccountReopened a => $"account {a.Address} opened again",
        LoginSucceeded l => $"login by {l.Protocol} from {l.Client} with {l.Mechanism}{Tls(l.Tls)}{(l.AppPassword is { } id ? $", app password {id}" : "")}",
        LoginFailed l => $"login refused ({l.Reason.Replace('_', ' ')}) by {l.Protocol} from {l.Client} with {l.Mechanism}{Tls(l.Tls)}, as {l.User}",
        LoginThrottled { Protocol: "http", LockoutSeconds: 0 } l => string.Create(CultureInfo.InvariantCulture,
            $"wrong API keys turned away after {l.Failures} in {l.WindowSeconds} s from {l.Source}"),
        LoginThrottled l => string.Create(CultureInfo.InvariantCulture,
            $"logins locked out for {l.LockoutSeconds} s ({l.Scope}) after {l.Failures} failures in {l.WindowSeconds} s, last from {l.Source} by {l.Protocol}"),
        DomainAdded d => $"mail domain {d.Name} added",
        DomainRemoved d => $"mail domain {d.Name} removed",
        DkimKeyAdded d => $"DKIM key {d.Selector} ({d.Algorithm}) made",
        DkimKeyActivated d => $"DKIM key {d.Selector} signs from now on",
        DkimKeyRetired d => $"DKIM key {d.Selector} retired",
        AliasAdded a => $"alias {a.Address} leads to {string.Join(", ", a.Targets)}",
        AliasRemoved a => $"alias {a.Address} removed",
        ApiKeyIssued a => $"API key {a.Name} issued ({a.Id}) for {string.Join(", ", a.Scopes)}{(a.Expires is { } end ? string.Create(CultureInfo.InvariantCulture, $", until {end.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z") : "")}",
        ApiKeyRevoked a => $"API key {a.Name} revoked ({a.Id})",
        WebhookAdded w => $"webhook {w.Id} added for {(w.Types is { } types ? string.Join(", ", types) : "all events")}: {WithoutQuery(w.Url)}",
        WebhookRemoved w => $"webhook {w.Id} removed: {WithoutQuery(w.Url)}",
        RetentionSet r => $"contents of messages that are gone{Of(r.Mailbox)} are kept {(r.Days is { } days ? Amount.Of(days, "day") : "for ever")}",
        RetentionCleared r => $"contents of messages that are gone{Of(r.Mailbox)} are kept as long as those of others",
        LegalHoldPlaced h => $"legal hold {h.Case} placed{Of(h.Mailbox)}{Because(h.Reason)}",
        LegalHoldReleased h => $"legal hold {h.Case} released{Of(h.Mailbox)}",
        ContentsReleased c => $"{Amount.Of(c.Contents.Length, "content")} released, {Octets(c.Bytes)}: gone from all mailboxes for as long as the rules say",
        ErasureOrdered o => string.Create(CultureInfo.InvariantCulture, $"erasure of {(o.Strangers is { } day ? $"the strangers of {day:yyyy-MM-dd}" : Amount.Of(o.Contents.Length, "content"))} ordered{(o.Case is { } name ? $", case {name}" : "")}: {o.Reason}"),
        ErasureCompleted o => string.Create(CultureInfo.InvariantCulture, $"erasure of {Amount.Of(o.Contents, "content")} complete; no backup of before {o.UnreadableBefore.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z has them readable"),
        ReadAuditBegun a => $"reads of its mail become events from now on{Because(a.Reason)}",
        ReadAuditEnded a => $"reads of its mail become events no longer{Because(a.Reason)}",
        MessagesRead m => string.Create(CultureInfo.InvariantCulture, $"{Messages(m.Uids)} read since {m.Since.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z"),
        ReadModelDrifted m => string.Create(CultureInfo.InvariantCulture,
            $"ALARM: {m.Tables.Sum(t => t.Rows)} rows of the read model {m.Model} (generation {m.Generation}) are not what the log says: {string.Join(", ", m.Tables.Select(t => t.Table))}"),
        ReadModelDriftEnded m => string.Create(CultureInfo.InvariantCulture, $"the read model {m.Model} (generation {m.Generation}) is what the log says again"),
        LogAltered a =>
            $"ALARM: {(a.Position is { } at ? string.Create(CultureInfo.InvariantCulture, $"the log is not as it was written at position {at}") : "the log is not as it was written")} ({a.Fault.Replace('_', ' ')}): {(a.Type is { } type ? type + ", " : "")}stream {a.Stream}{VersionOf(a.Version)}{(a.IsQuarantined ? ", which is in quarantine" : "")}",
        LogAlterationEnded a => $"the log is as it was written again ({a.Fault.Replace('_', ' ')}): stream {a.Stream}{VersionOf(a.Version)}",
        CredentialsCaptured l => $"login as {l.User} taken down by {l.Protocol} from {l.Client} with {l.Mechanism}{Tls(l.Tls)}",
        _ => Unknown,
    };

    private static string VersionOf(long? version) => version is { } number ? string.Create(CultureInfo.InvariantCulture, $" version {number}") : "";

    private static string Of(Guid? mailbox) => mailbox is { } id ? $" of mailbox {id}" : "";

    // It may be a secret.
    private static string WithoutQuery(string url) => url.Split('?')[0];

    private static string ChangeOf(FlagChange change)
    {
        var parts = new List<string>();
        if (change.Added.Length > 0)
            parts.Add($"{change.Flag} set on {change.Added}");
        if (change.Removed.Length > 0)
            parts.Add($"{change.Flag} removed from {change.Removed}");
        return string.Join(", ", parts);
    }

    private static string Messages(string uids) => uids.Contains(',') || uids.Contains(':') ? $"messages {uids}" : $"message {uids}";

    private static string MessageId(string? id) => id is null ? "" : $", Message-ID <{id}>";

    private static string Flagged(string[] flags) => flags.Length == 0 ? "" : $", {string.Join(' ', flags)}";

    private static string Because(string? reason) => reason is null ? "" : $": {reason}";

    private static string Tls(bool tls) => tls ? " over TLS" : "";

    private static string Octets(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes} bytes");
}
