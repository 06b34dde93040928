using EventMail.Domain.Deliveries;

namespace EventMail.Protocols.Smtp.Client;

/// <summary>One message for the recipients of one transaction. Paths have been checked: no CR, LF or angle brackets.</summary>
public sealed record OutgoingMessage
{
    /// <summary>The reverse-path without angle brackets; empty for the null sender.</summary>
    public required string Sender { get; init; }

    public required IReadOnlyList<OutgoingRecipient> Recipients { get; init; }

    /// <summary>
    /// The message from its first octet on, in pieces that stay valid until the next one is asked for. Called once per transaction
    /// at most. What it throws is thrown by <see cref="SmtpClient.SendAsync"/>, and then nothing was delivered.
    /// </summary>
    public required Func<CancellationToken, IAsyncEnumerable<ReadOnlyMemory<byte>>> Content { get; init; }

    /// <summary>Octets of <see cref="Content"/>.</summary>
    public required long Size { get; init; }

    /// <summary>"7bit", "8bitmime" or "binarymime": what the octets need.</summary>
    public string Body { get; init; } = "7bit";

    /// <summary>An address or a header field is beyond ASCII (RFC 6531).</summary>
    public bool SmtpUtf8 { get; init; }

    /// <summary>RFC 8689: only over verified TLS to a host that offers it, unless there is no sender.</summary>
    public bool RequireTls { get; init; }

    /// <summary>ENVID (RFC 3461 §4.4), xtext decoded; null for none.</summary>
    public string? EnvelopeId { get; init; }

    /// <summary>RET: "full" or "hdrs" (RFC 3461 §4.3); null for none.</summary>
    public string? Return { get; init; }

    /// <summary>RFC 2852.</summary>
    public DeliverBy? DeliverBy { get; init; }

    /// <summary>MT-PRIORITY (RFC 6710).</summary>
    public int Priority { get; init; }
}

/// <param name="Address">The forward-path without angle brackets.</param>
/// <param name="OriginalRecipient">ORCPT as "type;address" in xtext (RFC 3461 §4.2); null for none.</param>
/// <param name="Notify">Sent where DSN is offered; null to say nothing.</param>
public sealed record OutgoingRecipient(string Address, string? OriginalRecipient = null, NotifyOn? Notify = null);
