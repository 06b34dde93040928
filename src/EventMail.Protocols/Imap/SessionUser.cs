using EventMail.Projections;
using EventMail.Projections.Accounts;
using EventMail.Projections.Mailboxes;

namespace EventMail.Protocols.Imap;

/// <summary>Who is logged in, and how the log speaks of what they do.</summary>
internal sealed record SessionUser(AccountEntry Account, Actor Actor, EmailIds EmailIds)
{
    /// <summary>The account's id, which its mailboxes go by.</summary>
    public string Id => Account.Account;
}
