using EventMail.Projections.Restoring;

namespace EventMail.Host.Http.Admin.Resources;

/// <param name="To">The instant: 2026-11-01T12:00:00Z.</param>
/// <param name="Mailbox">As it was called then; without it all that there were.</param>
/// <param name="Messages">Only these of the mailbox, by their UIDs of then: 3,7:12.</param>
/// <param name="MessageIds">Only these, by Message-ID, EMAILID or SHA-256, wherever they were.</param>
/// <param name="KeepFlags">Messages that are still there keep the flags that they have.</param>
/// <param name="Moved">Also what was moved and is still in another mailbox comes back, as a copy.</param>
/// <param name="DryRun">Only says what would be done.</param>
internal sealed record NewRestoreDocument(
    string To, string? Mailbox = null, string? Messages = null, IReadOnlyList<string>? MessageIds = null, bool KeepFlags = false, bool Moved = false, bool DryRun = false);

/// <param name="Reopened">The account was closed and is open again (or would be); nobody can log in to it before it has a password.</param>
/// <param name="Restored">Messages that came back.</param>
/// <param name="Refused">Mailboxes with which nothing was done; each says why.</param>
internal sealed record RestoreDocument(
    bool DryRun, DateTimeOffset To, bool Reopened, long Restored, int Refused, IReadOnlyList<RestoredMailbox> Mailboxes);

/// <param name="Account">Only in this account; without it wherever the session was.</param>
internal sealed record NewUndoDocument(string? Account = null, bool DryRun = false);

/// <param name="Subscriptions">Names whose subscription is as before.</param>
/// <param name="Annotations">That are as before.</param>
/// <param name="Cancelled">Messages that it handed in and that are taken out of the queue.</param>
/// <param name="Sent">Messages that it handed in and that went out: they cannot be called back.</param>
/// <param name="OtherAccounts">Accounts that were not asked for and in which it wrote as well.</param>
/// <param name="Made">Accounts that it opened: they stay as they are, with their mailboxes and all mail in them.</param>
/// <param name="Left">Kinds of streams that it wrote to and that are left as they are.</param>
internal sealed record UndoDocument(
    bool DryRun, string Session, long Restored, long Removed, int Refused, IReadOnlyList<RestoredMailbox> Mailboxes, int Subscriptions, int Annotations, int Cancelled, int Sent,
    int OtherAccounts, IReadOnlyList<string> Left, IReadOnlyList<MadeAccount> Made);
