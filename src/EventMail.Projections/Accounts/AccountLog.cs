using Microsoft.Extensions.Logging;

namespace EventMail.Projections.Accounts;

/// <summary>Log lines of accounts and logins. The fields bear the names of the owner's documents; never a password.</summary>
internal static partial class AccountLog
{
    [LoggerMessage(1001, LogLevel.Information,
        "Successful {protocol} login for user: {email} (user_id {user_id}, ip_address {ip_address}, auth_method {auth_method}, session_id {session_id}, duration_ms {duration_ms})")]
    public static partial void LoginSucceeded(
        this ILogger log, string protocol, string email, string user_id, string ip_address, string auth_method, string session_id, long duration_ms);

    [LoggerMessage(1002, LogLevel.Warning,
        "Failed {protocol} login attempt for user: {email} (error {error}, ip_address {ip_address}, auth_method {auth_method}, session_id {session_id}, duration_ms {duration_ms})")]
    public static partial void LoginFailed(
        this ILogger log, string protocol, string email, string error, string ip_address, string auth_method, string session_id, long duration_ms);

    [LoggerMessage(1003, LogLevel.Error,
        "ALERT: {failures} failed logins within {window_seconds} s; {scope} locked out for {lockout_seconds} s (ip_address {ip_address}, email {email}, session_id {session_id})")]
    public static partial void LoginThrottled(
        this ILogger log, string scope, int failures, int window_seconds, int lockout_seconds, string ip_address, string email, string session_id);

    [LoggerMessage(1004, LogLevel.Warning, "Rate limit exceeded for IP: {ip_address} (email {email}, session_id {session_id}, retry_after_ms {retry_after_ms})")]
    public static partial void LoginTurnedAway(this ILogger log, string ip_address, string email, string session_id, long retry_after_ms);

    [LoggerMessage(1005, LogLevel.Warning, "Authentication time above 1 s: duration_ms {duration_ms} (auth_method {auth_method}, session_id {session_id})")]
    public static partial void LoginSlow(this ILogger log, long duration_ms, string auth_method, string session_id);

    [LoggerMessage(1006, LogLevel.Error, "The recoverable password of {email} was encrypted with another key ({key_id}): copy that Host's secret.key, or set the password again")]
    public static partial void KeyMissing(this ILogger log, string email, string key_id);

    [LoggerMessage(1007, LogLevel.Warning, "Password of {email} could not be hashed anew (user_id {user_id})")]
    public static partial void RehashFailed(this ILogger log, Exception error, string email, string user_id);

    [LoggerMessage(1010, LogLevel.Warning, "Quota threshold exceeded (user_id {user_id}, email {email}, threshold {threshold}%, used_bytes {used_bytes}, limit_bytes {limit_bytes})")]
    public static partial void QuotaThreshold(this ILogger log, string user_id, string email, int threshold, long used_bytes, long limit_bytes);

    [LoggerMessage(1011, LogLevel.Warning, "Quota warning of account {user_id} could not be noted")]
    public static partial void QuotaNotNoted(this ILogger log, Exception error, string user_id);

    [LoggerMessage(1016, LogLevel.Critical,
        "ALERT: Quota drift found and repaired (user_id {user_id}, email {email}, kept_bytes {kept_bytes}, kept_messages {kept_messages}, used_bytes {used_bytes}, used_messages {used_messages})")]
    public static partial void QuotaDrift(
        this ILogger log, string user_id, string email, long kept_bytes, long kept_messages, long used_bytes, long used_messages);

    [LoggerMessage(1017, LogLevel.Warning, "The totals of the accounts could not be verified")]
    public static partial void QuotaNotVerified(this ILogger log, Exception error);

    /// <param name="size">0 when it is not known.</param>
    public static void QuotaExceeded(this ILogger log, string account, string address, QuotaUsage usage, long size)
    {
        if (usage.HasBytes(Math.Max(size, 1)) && usage.MessageLimit is { } limit)
            log.MessageLimitReached(account, address, usage.Messages, limit);
        else
            log.QuotaExceeded(account, address, usage.Used, usage.Limit, size, Math.Max(0, usage.Used + Math.Max(size, 1) - usage.Limit));
    }

    [LoggerMessage(1012, LogLevel.Warning, "Quota exceeded - message rejected (user_id {user_id}, email {email}, used_bytes {used_bytes}, limit_bytes {limit_bytes}, message_size {message_size}, overflow_bytes {overflow_bytes})")]
    private static partial void QuotaExceeded(
        this ILogger log, string user_id, string email, long used_bytes, long limit_bytes, long message_size, long overflow_bytes);

    [LoggerMessage(1014, LogLevel.Warning, "Quota exceeded - message rejected (user_id {user_id}, email {email}, used_messages {used_messages}, limit_messages {limit_messages})")]
    private static partial void MessageLimitReached(this ILogger log, string user_id, string email, long used_messages, long limit_messages);

    [LoggerMessage(1013, LogLevel.Warning, "The keys of the access tokens' issuer could not be read from {source}")]
    public static partial void IssuerKeysUnreadable(this ILogger log, Exception error, string source);

    [LoggerMessage(1015, LogLevel.Warning, "The issuer's token is of type '{type}', not at+jwt: it was not taken for an access token (Auth:OAuth:AcceptUnmarked {accept_unmarked})")]
    public static partial void TokenTypeRefused(this ILogger log, string type, bool accept_unmarked);

    [LoggerMessage(1016, LogLevel.Error, "The DKIM key {selector} of {domain} was encrypted with another key ({key_id}, here {here}): copy that Host's secret.key, or retire it and make another; mail goes out without its signature")]
    public static partial void DkimKeyUnreadable(this ILogger log, string domain, string selector, string key_id, string here);

    [LoggerMessage(1018, LogLevel.Information, "Login is no event: the account {reason} (email {email}, session_id {session_id})")]
    public static partial void LoginNotRecorded(this ILogger log, string email, string session_id, string reason);
}
