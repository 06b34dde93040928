namespace EventMail.Protocols.Smtp.Submission;

/// <summary>What becomes of a submitted message.</summary>
public sealed record SubmissionOptions
{
    /// <summary>The message's From and Sender must be addresses that the account may send as.</summary>
    public bool CheckFrom { get; init; } = true;

    /// <summary>Received does not tell where the client was nor how it called itself.</summary>
    public bool HideClient { get; init; } = true;
}
