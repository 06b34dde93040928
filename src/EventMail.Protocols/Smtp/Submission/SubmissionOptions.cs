namespace EventMail.Protocols.Smtp.Submission;

/// <summary>What becomes of a submitted message.</summary>
public sealed record SubmissionOptions
{
    /// <summary>The message's From and Sender must be addresses that the account may send as.</summary>
    public bool CheckFrom { get; init; } = true;

    /// <summary>Received does not tell where the client was nor how it called itself.</summary>
    public bool HideClient { get; init; } = true;

    /// <summary>The highest priority that a client is given (RFC 6710): what it asks for beyond is lowered.</summary>
    public int MaxPriority { get; init; } = 4;
}
