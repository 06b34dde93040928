using System.Net;

namespace EventMail.Protocols.Smtp.Client;

/// <summary>How a connection is made and used.</summary>
public sealed record ClientOptions
{
    /// <summary>What we say behind EHLO: our fully qualified name or address literal (RFC 5321 §4.1.4).</summary>
    public required string HelloName { get; init; }

    public ClientTimeouts Timeouts { get; init; } = ClientTimeouts.Default;

    public ClientLimits Limits { get; init; } = ClientLimits.Default;

    public ClientTls Tls { get; init; } = ClientTls.Opportunistic;

    /// <summary>The address to connect from, of the same family as the host's; null for the system's choice.</summary>
    public IPAddress? SourceAddress { get; init; }

    /// <summary>Null: no login.</summary>
    public ClientCredentials? Credentials { get; init; }

    /// <summary>Whether BDAT is used where CHUNKING is offered (RFC 3030); BINARYMIME needs it.</summary>
    public bool UseChunking { get; init; } = true;

    /// <summary>Transactions of one connection; MAILMAX (RFC 9422) may lower it.</summary>
    public int MaxTransactions { get; init; } = 1000;

    /// <summary>Says how much of a DELIVERBY is left.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;
}
