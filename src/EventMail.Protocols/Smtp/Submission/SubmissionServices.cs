using EventMail.Projections.Accounts;

namespace EventMail.Protocols.Smtp.Submission;

/// <summary>What sessions of users need besides what all sessions need.</summary>
public sealed class SubmissionServices(Authenticator authenticator, SubmissionRates rates)
{
    public Authenticator Authenticator { get; } = authenticator;

    /// <summary>Whom an account may send as.</summary>
    public SenderRules Senders { get; } = new(authenticator.Directory);

    public SubmissionRates Rates { get; } = rates;
}
