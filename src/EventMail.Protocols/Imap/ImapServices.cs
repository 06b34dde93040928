using EventMail.EventStore;
using EventMail.Projections.Accounts;
using EventMail.Projections.Mailboxes;
using EventMail.Projections.Metadata;
using EventMail.Projections.Reading;
using EventMail.Projections.SearchText;
using EventMail.Projections.Sorting;
using EventMail.Protocols.Wire;
using Microsoft.Extensions.Logging;

namespace EventMail.Protocols.Imap;

/// <summary>What IMAP sessions stand on. One per process; thread-safe.</summary>
public sealed class ImapServices
{
    public required MailboxService Mailboxes { get; init; }
    public required MetadataService Metadata { get; init; }
    public required MessageSummaries Summaries { get; init; }
    public required ContentStore Contents { get; init; }
    public required Projections.Accounts.Directory Directory { get; init; }
    public required AccountService Accounts { get; init; }
    public required Authenticator Authenticator { get; init; }
    public required ILogger Log { get; init; }

    /// <summary>For SORT and THREAD.</summary>
    public MessageSortKeys SortKeys
    {
        get => field ??= new(Summaries, Contents);
        init;
    }

    /// <summary>For SEARCH BODY and TEXT; null where every message is read.</summary>
    public SearchTextIndex? SearchText { get; init; }

    /// <summary>Is told what sessions are given of messages; null where nobody wants to know.</summary>
    public ReadAudit? Reads { get; init; }

    /// <summary>Null for no limit.</summary>
    public CommandRateLimiter? RateLimiter { get; init; }

    /// <summary>In events' metadata: which of several Hosts it was.</summary>
    public string Node { get; init; } = Environment.MachineName;

    /// <summary>For ID (RFC 2971).</summary>
    public string Version { get; init; } = "";

    /// <summary>A client may log out and in again as somebody else (RFC 8437 §8: a way to switch it off is a must).</summary>
    public bool Unauthenticate { get; init; } = true;

    public ImapLimits Limits { get; init; } = new();

    internal SessionCounter SessionsPerUser { get; } = new();
}
