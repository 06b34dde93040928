using EventMail.Projections.Accounts;

namespace EventMail.Protocols.Smtp.Submission;

/// <summary>What sessions of users need besides what all sessions need.</summary>
public sealed class SubmissionServices(Authenticator authenticator, SubmissionRates rates)
{
    public Authenticator Authenticator { get; } = authenticator;

    /// <summary>Whom an account may send as.</summary>
    public SenderRules Senders { get; } = new(authenticator.Directory);

    public SubmissionRates Rates { get; } = rates;

    /// <summary>Why a login of this session counts no more; null while it does.</summary>
    /// <param name="login">The account as it was when its client logged in.</param>
    internal async ValueTask<SmtpReply?> VoidAsync(AccountEntry login, CancellationToken cancel) =>
        await Authenticator.Directory.GetAsync(login.Account, cancel) is not { Suspended: false } now ? SmtpReplies.AccountDisabledMeanwhile
        : now.CredentialVersion != login.CredentialVersion ? SmtpReplies.LoginVoid
        : null;
}
