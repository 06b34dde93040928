using System.Net;
using System.Net.Security;
using EventMail.Projections;
using EventMail.Projections.Accounts;
using EventMail.Protocols.Smtp.Reception;
using EventMail.Protocols.Smtp.Syntax;

namespace EventMail.Protocols.Smtp;

/// <summary>A recipient that was accepted.</summary>
/// <param name="Locals">The accounts behind it: several for an alias.</param>
public sealed record AcceptedRecipient(SmtpPath Path, IReadOnlyList<LocalRecipient> Locals)
{
    public string Address => Path.Mailbox;

    public RcptParameters Parameters { get; init; } = new();

    /// <summary>Lower-case A-labels, or an address literal with its brackets; null for a recipient here.</summary>
    public string? RemoteDomain { get; init; }
}

/// <summary>What is known of a message before its first octet.</summary>
public sealed record SmtpEnvelope
{
    /// <summary>The transaction's: unique; in the Received field, the reply, the log and as the events' cause.</summary>
    public required string Id { get; init; }

    /// <summary>The other end's address, IPv4 also when it came over a dual-stack socket, and port.</summary>
    public required IPEndPoint Client { get; init; }

    /// <summary>What the client calls itself in EHLO, HELO or LHLO.</summary>
    public required string ClientName { get; init; }

    /// <summary>It greeted with EHLO or LHLO.</summary>
    public required bool IsExtended { get; init; }

    /// <summary>What the port is for.</summary>
    public required SmtpRole Role { get; init; }

    /// <summary>Null: in the clear.</summary>
    public required TlsCipherSuite? Cipher { get; init; }

    public required SmtpPath ReversePath { get; init; }

    public required MailParameters Parameters { get; init; }

    public required IReadOnlyList<AcceptedRecipient> Recipients { get; init; }

    /// <summary>When it began to arrive, in local time.</summary>
    public required DateTimeOffset Received { get; init; }

    /// <summary>How this server calls itself.</summary>
    public required string Hostname { get; init; }

    public required Actor Actor { get; init; }

    /// <summary>The highest priority that the message may get (RFC 6710 §4.1).</summary>
    public int MaxPriority { get; init; }

    /// <summary>The transaction's: what checks remember between its recipients and its message.</summary>
    public Admission Admission { get; init; } = new();

    /// <summary>The id of the account that logged in; null for a stranger.</summary>
    public string? Account { get; init; }
}
