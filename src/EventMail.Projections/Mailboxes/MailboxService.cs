using EventMail.Domain;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Accounts;
using Microsoft.Extensions.Logging;

namespace EventMail.Projections.Mailboxes;

/// <summary>
/// An account's mailboxes as the protocols use them. Names are UTF-8 with "/" between levels; INBOX in any case. A task that
/// ends without a rejection is durable and visible to every session of this node. Thread-safe.
/// </summary>
public sealed class MailboxService : IAsyncDisposable
{
    private readonly CommandExecutor _executor;
    private readonly QuotaGuard _quota;
    private readonly ILogger _quotaLog;
    private readonly SubscriptionBook _subscriptions;
    private readonly MailboxTrees _trees;
    private readonly MailboxViews _views;
    private readonly MailboxSnapshots _snapshots;
    private readonly LiveMailboxes _live;
    private readonly MailboxHierarchy _hierarchy;
    private readonly MailboxHistory _history;
    private readonly IDisposable _following;

    public MailboxService(EventLog log, QuotaGuard quota, SubscriptionBook subscriptions, MailboxOptions options, ILoggerFactory loggers)
    {
        var logger = loggers.CreateLogger("EventMail.Mailboxes");
        (_executor, _quota, _subscriptions) = (log.Executor, quota, subscriptions);
        _quotaLog = loggers.CreateLogger("EventMail.Quota");
        _trees = new(log.DataSource, _executor);
        _views = new(log.DataSource, _executor);
        _snapshots = new(log.DataSource, _executor, _views, options, logger);
        _live = new(_executor, _views, options, logger);
        _hierarchy = new(_executor, _trees, _views);
        _history = new(log.Reader);
        _views.Loaded = _snapshots.OnLoaded;
        _views.Known = _live.StateOf;
        _following = _executor.Feed.Subscribe(OnCommit);
    }

    internal MailboxSnapshots Snapshots => _snapshots;

    private void OnCommit(CommitBatch batch)
    {
        for (var i = 0; i < batch.Changes.Count; i++)
        {
            var change = batch.Changes[i];
            if (!ReferenceEquals(change.Kind, MailboxKind.Instance))
                continue;
            _trees.OnCommit(change);
            _live.OnCommit(change);
            if (!batch.Remote)
                _snapshots.OnCommit(change);
        }
    }

    /// <summary>Sorted by name, INBOX first; with the levels that exist only through their children. From memory when warm.</summary>
    public async Task<IReadOnlyList<MailboxEntry>> ListAsync(string account, CancellationToken cancel) =>
        MailboxListing.Of(await _trees.GetAsync(account, cancel), _executor)
        // A header that neither the cache nor the tree has any more.
        ?? MailboxListing.Of(await _trees.ReloadAsync(account, cancel), null)!;

    /// <summary>One mailbox with its counts (STATUS), or null: also for a level that is not selectable.</summary>
    public async Task<MailboxEntry?> FindAsync(string account, string name, CancellationToken cancel)
    {
        if (await LocateAsync(account, name, cancel) is not { } key)
            return null;
        var state = (MailboxState)(await _executor.RefreshAsync(MailboxKind.Stream(key), cancel)).State;
        if (!state.Exists)
            return null;
        var tree = await _trees.GetAsync(account, cancel);
        return MailboxListing.Entry(key.Id, state, tree.Below(state.Name).Any());
    }

    /// <summary>Opens a mailbox with its messages, caught up with other nodes.</summary>
    public async Task<Result<OpenMailbox>> OpenAsync(string account, string name, CancellationToken cancel)
    {
        if (await LocateAsync(account, name, cancel) is { } key && await _live.OpenAsync(key, cancel) is { } open)
            return open;
        return Rejection.MailboxMissing;
    }

    /// <summary>The mailbox of this name, or null: for <see cref="AppendAsync"/>, before the message is taken in.</summary>
    public async ValueTask<StreamKey?> LocateAsync(string account, string name, CancellationToken cancel)
    {
        name = MailboxName.Canonical(name);
        if (name == MailboxName.Inbox)
            return await _trees.InboxAsync(account, cancel);
        var tree = await _trees.GetAsync(account, cancel);
        return tree.Find(name) is { } node ? tree.KeyOf(node) : null;
    }

    /// <summary>CREATE with missing parents (RFC 9051 §6.3.4). A trailing "/" is ignored.</summary>
    /// <param name="specialUse">RFC 6154 CREATE-SPECIAL-USE, or null.</param>
    public async Task<Result<MailboxEntry>> CreateAsync(
        string account, string name, string? specialUse, Actor actor, string? cause, CancellationToken cancel)
    {
        if (await _hierarchy.CreateAsync(account, name, specialUse, actor.Because(cause), cancel) is { } rejection)
            return rejection;
        return await FindAsync(account, MailboxName.ForCreation(name).Value!, cancel) is { } entry ? entry : Rejection.MailboxMissing;
    }

    /// <summary>DELETE: the mailbox and its messages; mailboxes below it stay (RFC 9051 §6.3.5).</summary>
    public async Task<Result<Unit>> DeleteAsync(string account, string name, Actor actor, string? cause, CancellationToken cancel) =>
        await LocateAsync(account, name, cancel) is { } key
            ? await RunAsync<Unit>(new DeleteCommand(key, actor.Because(cause)), cancel)
            : Rejection.MailboxMissing;

    /// <summary>RENAME with everything below it; renaming INBOX moves its messages (RFC 9051 §6.3.6).</summary>
    public async Task<Result<Unit>> RenameAsync(
        string account, string from, string to, Actor actor, string? cause, CancellationToken cancel) =>
        await _hierarchy.RenameAsync(account, from, to, actor.Because(cause), cancel) is { } rejection ? rejection : default(Unit);

    /// <summary>The subscribed names, sorted; a name may be subscribed while no mailbox has it.</summary>
    public Task<IReadOnlyList<string>> SubscriptionsAsync(string account, CancellationToken cancel) => _subscriptions.Read(account, cancel);

    /// <param name="on">SUBSCRIBE or UNSUBSCRIBE.</param>
    public async Task<Result<Unit>> SubscribeAsync(
        string account, string name, bool on, Actor actor, string? cause, CancellationToken cancel)
    {
        // A name that could be no mailbox's may still be taken off the list.
        var valid = MailboxName.ForCreation(name);
        if (on && valid.Rejection is { } rejection)
            return rejection;
        return await _subscriptions.Write(account, valid.Value ?? name, on, actor, cause, cancel);
    }

    /// <summary>
    /// APPEND. The content comes from <see cref="IncomingMessage"/>. Queued when the method returns: of two calls one after the other
    /// the first gets the lower UID, also when its outcome is not awaited in between.
    /// </summary>
    /// <param name="mailbox">Of <see cref="LocateAsync"/>.</param>
    public Task<Result<AppendResult>> AppendAsync(
        StreamKey mailbox, StagedContent content, IReadOnlyList<string> flags, DateTimeOffset internalDate,
        Actor actor, string? cause, CancellationToken cancel) =>
        RunAsync<AppendResult>(
            new AppendCommand(mailbox, content, flags, internalDate, QuotaOf(mailbox.Tenant, actor), actor.Because(cause)), cancel);

    /// <summary>The same by name.</summary>
    public async Task<Result<AppendResult>> AppendAsync(
        string account, string name, StagedContent content, IReadOnlyList<string> flags, DateTimeOffset internalDate,
        Actor actor, string? cause, CancellationToken cancel) =>
        await LocateAsync(account, name, cancel) is { } mailbox
            ? await AppendAsync(mailbox, content, flags, internalDate, actor, cause, cancel)
            : Rejection.MailboxMissing;

    /// <summary>STORE. UIDs that are gone are passed over.</summary>
    /// <param name="unchangedSince">RFC 7162 UNCHANGEDSINCE, or null.</param>
    public Task<Result<StoreResult>> StoreAsync(
        OpenMailbox mailbox, UidSet uids, StoreMode mode, IReadOnlyList<string> flags, long? unchangedSince,
        Actor actor, string? cause, CancellationToken cancel) =>
        RunAsync<StoreResult>(
            new StoreCommand(mailbox.Key, _views, uids, mode, flags, unchangedSince, actor.Because(cause)), cancel);

    /// <summary>
    /// Which of these UIDs were expunged after a MODSEQ and up to a view's (RFC 7162 VANISHED): from the log, so exact and however
    /// long ago.
    /// </summary>
    public Task<UidSet> VanishedAsync(
        OpenMailbox mailbox, MailboxView view, UidSet among, long modSeq, CancellationToken cancel) =>
        _history.VanishedAsync(mailbox.Key, view, among, modSeq, cancel);

    /// <summary>COPY, or MOVE: both mailboxes in one transaction. A missing destination is <see cref="Rejection.MailboxMissing"/>.</summary>
    public async Task<Result<CopyResult>> CopyAsync(
        OpenMailbox source, UidSet uids, string destination, bool move, Actor actor, string? cause, CancellationToken cancel)
    {
        if (await LocateAsync(source.Account, destination, cancel) is not { } key)
            return Rejection.MailboxMissing;
        return await RunAsync<CopyResult>(
            new CopyCommand(source.Key, uids, key, move, _views, QuotaOf(source.Account, actor), actor.Because(cause)), cancel);
    }

    /// <summary>EXPUNGE: messages with \Deleted, all or only these (UID EXPUNGE). Answers what went.</summary>
    public Task<Result<UidSet>> ExpungeAsync(
        OpenMailbox mailbox, UidSet? only, Actor actor, string? cause, CancellationToken cancel) =>
        RunAsync<UidSet>(new ExpungeCommand(mailbox.Key, _views, only, deletedOnly: true, actor.Because(cause)), cancel);

    /// <summary>POP3's QUIT: these messages whatever their flags, as one event. Answers what went.</summary>
    public Task<Result<UidSet>> RemoveAsync(
        OpenMailbox mailbox, UidSet uids, Actor actor, string? cause, CancellationToken cancel) =>
        RunAsync<UidSet>(new ExpungeCommand(mailbox.Key, _views, uids, deletedOnly: false, actor.Because(cause)), cancel);

    /// <summary>SMTP and LMTP: one content into every recipient's INBOX, all or nothing, in one transaction.</summary>
    /// <param name="reversePath">Without angle brackets; empty for the null sender.</param>
    /// <param name="messageId">For people who search the log, or null.</param>
    public async Task<Result<IReadOnlyList<Delivered>>> ReceiveAsync(
        IReadOnlyList<LocalRecipient> recipients, StagedContent content, string reversePath, string? messageId,
        QuotaRule rule, Actor actor, string? cause, CancellationToken cancel)
    {
        var mailboxes = new StreamKey[recipients.Count];
        for (var i = 0; i < mailboxes.Length; i++)
        {
            if (await _trees.InboxAsync(recipients[i].Account, cancel) is not { } key)
                return Rejection.MailboxMissing;
            mailboxes[i] = key;
        }
        return await RunAsync<IReadOnlyList<Delivered>>(
            new ReceiveCommand(recipients, mailboxes, content, reversePath, messageId, _quota, rule, actor.Because(cause)), cancel);
    }

    /// <summary>The account's mailboxes for the command that closes it.</summary>
    public async Task<ClosedAccountMailboxes> ClosingAsync(string account, CancellationToken cancel)
    {
        var tree = await _trees.ReloadAsync(account, cancel);
        return new([.. tree.Sorted.Select(tree.KeyOf)]);
    }

    private QuotaCheck QuotaOf(string account, Actor actor) => new(_quota, account, actor.UserName ?? "");

    private async Task<Result<T>> RunAsync<T>(Command command, CancellationToken cancel)
    {
        var outcome = await _executor.ExecuteAsync(command, cancel);
        if (outcome is { Rejection: not null, Result: QuotaRefusal full })
            _quotaLog.QuotaExceeded(full.Account, full.Address, full.Usage, full.Size);
        return outcome.Rejection switch
        {
            null => outcome.Result is T answer ? answer : default!,
            Rejection rejection => rejection,
            var other => throw new InvalidOperationException($"{command.GetType().Name} was refused with {other}"),
        };
    }

    /// <summary>Stops following. What is claimed as \Recent is written; the executor must still run.</summary>
    public async ValueTask DisposeAsync()
    {
        _following.Dispose();
        await _live.DisposeAsync();
        await _snapshots.DisposeAsync();
    }
}
