using EventMail.Domain.Accounts;
using EventMail.EventStore;
using EventMail.Projections.Accounts;

namespace EventMail.Projections.Restoring;

/// <summary>
/// An account that a session opened. Its undo leaves it whole: without it the account would not be, and others have put mail into it since.
/// Whether it goes, and its mail with it, is an operator's to say.
/// </summary>
/// <param name="Address">As the log has it last.</param>
/// <param name="Open">False: it was closed since.</param>
public sealed record MadeAccount(string Account, string Address, bool Open)
{
    /// <summary>What makes an account, as it stands in the log.</summary>
    internal const string Event = "account_opened";

    internal static async Task<MadeAccount> ReadAsync(EventLog log, string account, CancellationToken cancel)
    {
        var made = new MadeAccount(account, account, false);
        await foreach (var e in log.Reader.ReadStreamAsync(
            AccountStreamKinds.AccountStream(account).Key, types: [Event, "account_closed", "account_reopened"], cancel: cancel))
        {
            made = e.Data switch
            {
                AccountOpened opened => made with { Address = opened.Address, Open = true },
                AccountReopened reopened => made with { Address = reopened.Address, Open = true },
                AccountClosed => made with { Open = false },
                _ => made,
            };
        }
        return made;
    }
}
