using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace EventMail.Domain.Accounts;

/// <summary>
/// Stream ids that follow from a name, so that finding a stream needs no look-up and two nodes cannot make the same thing twice:
/// the expected version of the one stream decides. RFC 9562 §5.8 (UUIDv8) over SHA-256.
/// </summary>
public static class AccountStreams
{
    /// <summary>In the account's tenant.</summary>
    public static Guid Account(string account) => Named("account", account);

    /// <summary>In the account's tenant.</summary>
    public static Guid Logins(string account) => Named("login", account);

    /// <summary>Mail that was not let in. In the account's tenant.</summary>
    public static Guid Reception(string account) => Named("reception", account);

    /// <summary>What was read of its mail, while it is under read auditing. In the account's tenant.</summary>
    public static Guid Reading(string account) => Named("reading", account);

    /// <summary>A mailbox's annotations. In its account's tenant.</summary>
    /// <param name="mailbox">The mailbox's stream.</param>
    public static Guid Metadata(Guid mailbox) => Named("metadata", mailbox.ToString());

    /// <summary>An account's private annotations of the server. In its tenant.</summary>
    public static Guid Metadata(string account) => Named("metadata", account);

    /// <summary>The annotations of the server that all share. In the default tenant.</summary>
    public static Guid ServerMetadata() => Named("metadata", "");

    /// <summary>Attempts for names that are no account's. In the default tenant.</summary>
    public static Guid StrangerLogins(DateTimeOffset at) =>
        Named("login", at.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));

    /// <summary>In the default tenant.</summary>
    public static Guid Domain(string name) => Named("mail_domain", name);

    /// <summary>In the default tenant.</summary>
    public static Guid Alias(string address) => Named("alias", address);

    /// <summary>All keys to the admin API. In the default tenant.</summary>
    public static Guid ApiKeys() => Named("api_keys", "");

    /// <summary>All webhooks. In the default tenant.</summary>
    public static Guid Webhooks() => Named("webhooks", "");

    /// <summary>How long its contents are kept, and what holds them. In the account's tenant.</summary>
    public static Guid Retention(string account) => Named("retention", account);

    /// <summary>Legal holds on everything. In the default tenant.</summary>
    public static Guid ServerRetention() => Named("retention", "");

    /// <summary>The contents that were released on a day. In the default tenant.</summary>
    public static Guid Releases(DateTimeOffset at) =>
        Named("release", at.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));

    /// <summary>What was found wrong with read models. In the default tenant.</summary>
    public static Guid ReadModels() => Named("read_models", "");

    /// <summary>What was found altered in the log. In the default tenant.</summary>
    public static Guid LogAudit() => Named("log_audit", "");

    private static Guid Named(string kind, string name)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes($"eventmail:{kind}:{name}"), hash);
        hash[6] = (byte)((hash[6] & 0x0F) | 0x80);
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        return new Guid(hash[..16], bigEndian: true);
    }
}
