using EventMail.Domain;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;

namespace EventMail.Projections.Maildrops;

/// <summary>Opens maildrops for POP3 sessions. Thread-safe.</summary>
public sealed class Maildrops(EventLog log, MailboxService mailboxes, MaildropLocks locks)
{
    public static readonly Rejection InUse = new(RejectionKind.InUse, "Another session has this maildrop open");

    /// <summary>Locks the account's INBOX on all nodes and takes its snapshot; <see cref="InUse"/> when another session has it.</summary>
    /// <param name="utf8">The session is in UTF-8 mode (RFC 6856 §2.1).</param>
    /// <param name="onLost">Called when <see cref="Maildrop.IsLost"/> becomes true, on any thread.</param>
    public async Task<Result<Maildrop>> OpenAsync(string account, bool utf8, Action onLost, CancellationToken cancel)
    {
        if ((await mailboxes.FindAsync(account, "INBOX", cancel)).Value is not { } inbox)
        {
            return Rejection.MailboxMissing;
        }

        if (await locks.TryTakeAsync(new(account, inbox.Id), onLost, cancel) is not { } taken)
        {
            return InUse;
        }

        OpenMailbox? opened = null;
        try
        {
            // Only now: what the session before removed must not be in the snapshot.
            var result = await mailboxes.OpenAsync(account, inbox.Name, cancel);
            if (result.Value is null)
            {
                await taken.DisposeAsync();
                return result.Rejection!;
            }

            opened = result.Value;
            var view = opened.View;
            return new Maildrop(mailboxes, opened, view, taken, await MaildropFormProjection.ReadAsync(log, account, view, cancel), utf8);
        }
        catch
        {
            opened?.Dispose();
            await taken.DisposeAsync();
            throw;
        }
    }
}
