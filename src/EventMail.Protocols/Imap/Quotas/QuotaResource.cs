using EventMail.Domain.Mailboxes;
using EventMail.Projections.Accounts;

namespace EventMail.Protocols.Imap.Quotas;

/// <summary>A resource that a root limits (RFC 9208 §5); each is a capability, QUOTA=RES- and its name.</summary>
/// <param name="Of">What is used of it and how much there may be, where there is a limit.</param>
internal sealed record QuotaResource(string Name, Func<QuotaUsage, int, (long Usage, long? Limit)> Of)
{
    private const int Unit = 1024;

    // §5.1: STORAGE is in units of 1024 octets; a begun one counts.
    public static readonly QuotaResource Storage =
        new("STORAGE", static (mail, _) => (mail.Used / Unit + (mail.Used % Unit > 0 ? 1 : 0), mail.Limit / Unit));

    // §5.2
    public static readonly QuotaResource Message = new("MESSAGE", static (mail, _) => (mail.Messages, mail.MessageLimit));

    public static readonly IReadOnlyList<QuotaResource> All =
    [
        Storage,
        Message,
        // §5.3: a limit of the server, which nobody sets.
        new("MAILBOX", static (_, mailboxes) => (mailboxes, MailboxLimits.MaxMailboxesPerAccount)),
    ];

    public static QuotaResource? Find(ReadOnlySpan<byte> name)
    {
        foreach (var resource in All)
        {
            if (System.Text.Ascii.EqualsIgnoreCase(name, resource.Name))
                return resource;
        }

        return null;
    }

    /// <summary>In bytes; false for more than there can be.</summary>
    public static bool TryBytes(long units, out long bytes)
    {
        bytes = units > long.MaxValue / Unit ? 0 : units * Unit;
        return units == 0 || bytes > 0;
    }
}
