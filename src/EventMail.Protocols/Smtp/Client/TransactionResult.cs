namespace EventMail.Protocols.Smtp.Client;

/// <summary>What became of a recipient in one transaction.</summary>
public enum SendOutcome
{
    /// <summary>2xx to the final dot or the last chunk: the remote host answers for it.</summary>
    Delivered,

    /// <summary>Not taken; trying again later may help.</summary>
    Deferred,

    /// <summary>Not taken, for good.</summary>
    Failed,

    /// <summary>The whole message was sent and no reply came that can be understood: it may have been taken or not.</summary>
    Unknown,

    /// <summary>
    /// Not asked for or not heard: may be sent at once in another transaction, on this connection while <see cref="SmtpClient.CanReuse"/>,
    /// else on a new one. Beyond RCPTMAX, beyond what the host takes in one transaction (RFC 5321 §4.5.3.1.10), a reused connection
    /// that was gone already, or cancelled. A connection's first transaction never says so of all its recipients, unless cancelled.
    /// </summary>
    NotTried,
}

/// <param name="Code">The reply's; 0 when there was none that counts.</param>
/// <param name="Enhanced">RFC 3463; ours where the host said none.</param>
/// <param name="Text">The reply's text or what went wrong, one printable line.</param>
/// <param name="Stage">One of <see cref="ClientStage"/>.</param>
public readonly record struct RecipientResult(SendOutcome Outcome, int Code, string Enhanced, string Text, string Stage);

/// <param name="Recipients">In the order of <see cref="OutgoingMessage.Recipients"/>.</param>
/// <param name="RelayedDsn">The host offers DSN and was told what to notify of: what was delivered is its to report (RFC 3461 §5.2.2).</param>
/// <param name="RelayedTime">The host offers DELIVERBY and was told the sender's time, if there is one (RFC 2852 §4.1.4).</param>
public sealed record TransactionResult(IReadOnlyList<RecipientResult> Recipients, bool RelayedDsn, bool RelayedTime = false)
{
    public bool Any(SendOutcome outcome) => Recipients.Any(recipient => recipient.Outcome == outcome);
}
