using EventMail.Domain;
using EventMail.Projections.Mailboxes;

namespace EventMail.Projections.Maildrops;

/// <summary>Opens maildrops for POP3 sessions. Thread-safe.</summary>
public sealed class Maildrops(MailboxService mailboxes, MaildropLocks locks)
{
    public static readonly Rejection InUse = new(RejectionKind.InUse, "Another session has this maildrop open");

    private static readonly IReadOnlyDictionary<long, long> AsStored = new Dictionary<long, long>();

    /// <summary>Locks the account's INBOX on all nodes and takes its snapshot; <see cref="InUse"/> when another session has it.</summary>
    /// <param name="onLost">Called when <see cref="Maildrop.IsLost"/> becomes true, on any thread.</param>
    public async Task<Result<Maildrop>> OpenAsync(string account, Action onLost, CancellationToken cancel)
    {
        if (await mailboxes.FindAsync(account, "INBOX", cancel) is not { } inbox)
        {
            return Rejection.MailboxMissing;
        }

        if (await locks.TryTakeAsync(new(account, inbox.Id), onLost, cancel) is not { } taken)
        {
            return InUse;
        }

        try
        {
            // Only now: what the session before removed must not be in the snapshot.
            var opened = await mailboxes.OpenAsync(account, inbox.Name, cancel);
            if (opened.Value is { } mailbox)
            {
                return new Maildrop(mailboxes, mailbox, taken, AsStored);
            }

            await taken.DisposeAsync();
            return opened.Rejection!;
        }
        catch
        {
            await taken.DisposeAsync();
            throw;
        }
    }
}
