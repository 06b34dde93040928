using EventMail.Domain;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Accounts;

namespace EventMail.Projections.Mailboxes;

/// <summary>
/// An account's mailboxes as the protocols use them. Names are UTF-8 with "/" between levels; INBOX in any case. A task that
/// ends without a rejection is durable and visible to every session of this node. Thread-safe.
/// </summary>
public sealed class MailboxService
{
    /// <summary>Sorted by name, INBOX first; with the levels that exist only through their children. From memory when warm.</summary>
    public Task<IReadOnlyList<MailboxEntry>> ListAsync(string account, CancellationToken cancel) => throw new NotSupportedException();

    /// <summary>One mailbox with its counts (STATUS), or null: also for a level that is not selectable.</summary>
    public Task<MailboxEntry?> FindAsync(string account, string name, CancellationToken cancel) => throw new NotSupportedException();

    /// <summary>Opens a mailbox with its messages, caught up with other nodes.</summary>
    public Task<Result<OpenMailbox>> OpenAsync(string account, string name, CancellationToken cancel) => throw new NotSupportedException();

    /// <summary>CREATE with missing parents (RFC 9051 §6.3.4). A trailing "/" is ignored.</summary>
    /// <param name="specialUse">RFC 6154 CREATE-SPECIAL-USE, or null.</param>
    public Task<Result<MailboxEntry>> CreateAsync(
        string account, string name, string? specialUse, Actor actor, string? cause, CancellationToken cancel) => throw new NotSupportedException();

    /// <summary>DELETE: the mailbox and its messages; mailboxes below it stay (RFC 9051 §6.3.5).</summary>
    public Task<Result<Unit>> DeleteAsync(string account, string name, Actor actor, string? cause, CancellationToken cancel) => throw new NotSupportedException();

    /// <summary>RENAME with everything below it; renaming INBOX moves its messages (RFC 9051 §6.3.6).</summary>
    public Task<Result<Unit>> RenameAsync(
        string account, string from, string to, Actor actor, string? cause, CancellationToken cancel) => throw new NotSupportedException();

    /// <summary>The subscribed names, sorted; a name may be subscribed while no mailbox has it.</summary>
    public Task<IReadOnlyList<string>> SubscriptionsAsync(string account, CancellationToken cancel) => throw new NotSupportedException();

    /// <param name="on">SUBSCRIBE or UNSUBSCRIBE.</param>
    public Task<Result<Unit>> SubscribeAsync(
        string account, string name, bool on, Actor actor, string? cause, CancellationToken cancel) => throw new NotSupportedException();

    /// <summary>APPEND. The content comes from <see cref="IncomingMessage"/>.</summary>
    public Task<Result<AppendResult>> AppendAsync(
        string account, string name, StagedContent content, IReadOnlyList<string> flags, DateTimeOffset internalDate,
        Actor actor, string? cause, CancellationToken cancel) => throw new NotSupportedException();

    /// <summary>STORE. UIDs that are gone are passed over.</summary>
    /// <param name="unchangedSince">RFC 7162 UNCHANGEDSINCE, or null.</param>
    public Task<Result<StoreResult>> StoreAsync(
        OpenMailbox mailbox, UidSet uids, StoreMode mode, IReadOnlyList<string> flags, long? unchangedSince,
        Actor actor, string? cause, CancellationToken cancel) => throw new NotSupportedException();

    /// <summary>COPY, or MOVE: both mailboxes in one transaction. A missing destination is <see cref="Rejection.MailboxMissing"/>.</summary>
    public Task<Result<CopyResult>> CopyAsync(
        OpenMailbox source, UidSet uids, string destination, bool move, Actor actor, string? cause, CancellationToken cancel) => throw new NotSupportedException();

    /// <summary>EXPUNGE: messages with \Deleted, all or only these (UID EXPUNGE). Answers what went.</summary>
    public Task<Result<UidSet>> ExpungeAsync(
        OpenMailbox mailbox, UidSet? only, Actor actor, string? cause, CancellationToken cancel) => throw new NotSupportedException();

    /// <summary>POP3's QUIT: these messages whatever their flags, as one event. Answers what went.</summary>
    public Task<Result<UidSet>> RemoveAsync(
        OpenMailbox mailbox, UidSet uids, Actor actor, string? cause, CancellationToken cancel) => throw new NotSupportedException();

    /// <summary>SMTP and LMTP: one content into every recipient's INBOX, all or nothing, in one transaction.</summary>
    /// <param name="reversePath">Without angle brackets; empty for the null sender.</param>
    /// <param name="messageId">For people who search the log, or null.</param>
    public Task<Result<IReadOnlyList<Delivered>>> ReceiveAsync(
        IReadOnlyList<LocalRecipient> recipients, StagedContent content, string reversePath, string? messageId,
        Actor actor, string? cause, CancellationToken cancel) => throw new NotSupportedException();
}
