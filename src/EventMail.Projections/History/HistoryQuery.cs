using System.Net;

namespace EventMail.Projections.History;

/// <summary>What of the log is asked for; what is null does not restrict. Answers come in log order.</summary>
public sealed record HistoryQuery
{
    /// <summary>Accounts' ids; null for all, and for what is no account's.</summary>
    public IReadOnlyList<string>? Accounts { get; init; }

    /// <summary>Only mailboxes that have or ever had this name.</summary>
    public string? Mailbox { get; init; }

    /// <summary>
    /// A message's whole life, wherever it went: its Message-ID, with or without angle brackets; its EMAILID as IMAP shows it; or the SHA-256 of
    /// its octets in hex.
    /// </summary>
    public string? Message { get; init; }

    /// <summary>A session's id, as the log's lines and every answer have it.</summary>
    public string? Session { get; init; }

    /// <summary>Who sent, received, logged in or tried to, or acted.</summary>
    public string? Address { get; init; }

    /// <summary>Where the client was: an address or a prefix.</summary>
    public IPNetwork? Client { get; init; }

    /// <summary>imap, pop3, smtp, lmtp, submission, cli …</summary>
    public string? Protocol { get; init; }

    /// <summary>Aliases as docs/events.md has them.</summary>
    public IReadOnlyList<string>? Types { get; init; }

    /// <summary>Inclusive.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Exclusive.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>The cursor: only what stands behind this position of the log. A page's last <see cref="HistoryEntry.Sequence"/> leads to the next.</summary>
    public long After { get; init; }
}
