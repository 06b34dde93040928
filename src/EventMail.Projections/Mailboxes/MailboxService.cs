using EventMail.Domain;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Accounts;
using EventMail.Projections.Past;
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
    private readonly OtherUsers _others;
    private readonly EventLog _log;
    private readonly MailboxWatches _watches = new();
    private readonly IDisposable _following;
    private readonly IDisposable _listening;

    public MailboxService(
        EventLog log, QuotaGuard quota, SubscriptionBook subscriptions, AccountNames names, MailboxOptions options, ILoggerFactory loggers,
        PastMailboxes? past = null)
    {
        var logger = loggers.CreateLogger("EventMail.Mailboxes");
        (_log, _executor, _quota, _subscriptions) = (log, log.Executor, quota, subscriptions);
        Past = new(past ?? new(log));
        _quotaLog = loggers.CreateLogger("EventMail.Quota");
        _trees = new(log.DataSource, _executor);
        _views = new(log.DataSource, _executor);
        _snapshots = new(log.DataSource, _executor, _views, options, logger);
        _live = new(_executor, _views, options, logger);
        _hierarchy = new(_executor, _trees, _views);
        _history = new(log.Reader);
        _others = new(log.DataSource, _executor, names);
        Access = new(this, _executor, names);
        Arrivals = new(this, log, quota);
        _views.Loaded = _snapshots.OnLoaded;
        _views.Known = _live.StateOf;
        _following = _executor.Feed.Subscribe(OnCommit);
        _listening = _executor.Feed.SubscribeMoves(_watches.OnMoved);
    }

    internal MailboxSnapshots Snapshots => _snapshots;

    internal MailboxViews Views => _views;

    internal MailboxTrees Trees => _trees;

    /// <summary>Who may do what (RFC 4314).</summary>
    public MailboxAccess Access { get; }

    /// <summary>Mail that comes in.</summary>
    public MailboxArrivals Arrivals { get; }

    /// <summary>The names of mailboxes as they were.</summary>
    public PastNamespace Past { get; }

    private void OnCommit(CommitBatch batch)
    {
        // All names first: whoever is told of one may ask for those that came with it.
        for (var i = 0; i < batch.Changes.Count; i++)
        {
            var change = batch.Changes[i];
            if (!ReferenceEquals(change.Kind, MailboxKind.Instance))
                continue;
            _trees.OnCommit(change);
            _others.OnCommit(change);
        }
        // Before the sessions that have one open are told: they ask what of it is their own doing.
        _watches.OnCommit(batch.Changes);
        for (var i = 0; i < batch.Changes.Count; i++)
        {
            var change = batch.Changes[i];
            if (!ReferenceEquals(change.Kind, MailboxKind.Instance))
                continue;
            _live.OnCommit(change);
            if (!batch.Remote)
                _snapshots.OnCommit(change);
        }
    }

    /// <summary>
    /// The account's own, sorted by name, INBOX first, then what others let it look up; with the levels that exist only through their
    /// children. From memory when warm.
    /// </summary>
    public async Task<IReadOnlyList<MailboxEntry>> ListAsync(string account, CancellationToken cancel)
    {
        var own = await EntriesAsync(account, account, "", cancel);
        var owners = await _others.OwnersAsync(account, cancel);
        if (owners.Count == 0)
            return own;
        var all = new List<MailboxEntry>(own);
        // One's own of such a name is the one that is meant, as in ResolveAsync.
        var taken = own.Where(mailbox => mailbox.IsOthers).Select(mailbox => mailbox.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var (owner, address) in owners)
        {
            var prefix = OtherUsers.PrefixOf(address);
            var shared = await EntriesAsync(owner, account, prefix, cancel);
            if (shared.Count == 0)
                continue;
            foreach (var mailbox in shared.Prepend(MailboxListing.Above(prefix[..^1])).Prepend(MailboxListing.Above(OtherUsers.Level)))
            {
                if (taken.Add(mailbox.Name))
                    all.Add(mailbox);
            }
        }
        return all;
    }

    /// <summary>Gathers what happens from here on to the mailboxes that an account can see. <see cref="ListAsync(MailboxWatch, CancellationToken)"/> says which these are.</summary>
    /// <param name="session">Whose own doings are told apart (correlation_id).</param>
    /// <param name="limit">Mailboxes and names of others' doings that it holds at once.</param>
    /// <param name="wake">Called on any thread when there is something new of others; must be quick. Null: only the session's own doings are gathered.</param>
    public MailboxWatch Watch(string account, string session, int limit, Action? wake) => _watches.Begin(account, session, limit, wake);

    /// <summary>The list of the account that watches; the watch follows it from here on.</summary>
    public async Task<IReadOnlyList<MailboxEntry>> ListAsync(MailboxWatch watch, CancellationToken cancel)
    {
        var owners = await _others.OwnersAsync(watch.Viewer, cancel);
        _watches.Follow(watch, [watch.Viewer, .. owners.Select(owner => owner.Id)]);
        return await ListAsync(watch.Viewer, cancel);
    }

    /// <summary>What LIST tells of the past, which it does only to who names it: nothing for other patterns.</summary>
    /// <param name="counts">The entries' counts are asked for.</param>
    public Task<IReadOnlyList<MailboxEntry>> ListPastAsync(string account, string pattern, bool counts, CancellationToken cancel) =>
        Past.ListAsync(account, pattern, counts, cancel);

    /// <summary>True for a name in the other users' namespace.</summary>
    public static bool IsOthers(string name) => OtherUsers.IsReserved(name);

    private async Task<IReadOnlyList<MailboxEntry>> EntriesAsync(string owner, string viewer, string prefix, CancellationToken cancel) =>
        MailboxListing.Of(await _trees.GetAsync(owner, cancel), _executor, viewer, prefix)
        // A header that neither the cache nor the tree has any more.
        ?? MailboxListing.Of(await _trees.ReloadAsync(owner, cancel), null, viewer, prefix)!;

    /// <summary>One mailbox with its counts (STATUS); a level that is not selectable is none.</summary>
    /// <param name="needed">What the account must be allowed.</param>
    public async Task<Result<MailboxEntry>> FindAsync(string account, string name, CancellationToken cancel, Rights needed = Rights.Read)
    {
        if (Past.Has(name))
            return await Past.FindAsync(account, name, cancel);
        if (await ResolveAsync(account, name, cancel) is not { } mailbox)
            return Rejection.MailboxMissing;
        var state = await StateAsync(mailbox.Key, cancel);
        if (mailbox.Refuse(state, needed) is { } rejection)
            return rejection;
        return MailboxListing.Entry(mailbox.Key.Id, state, await HasChildrenAsync(mailbox, state.Name, cancel), mailbox.RightsIn(state), mailbox.Prefix);
    }

    // RFC 4314 §4: to whom may not look it up what is below is as if it were not there.
    private async ValueTask<bool> HasChildrenAsync(MailboxRef mailbox, string name, CancellationToken cancel)
    {
        var tree = await _trees.GetAsync(mailbox.Owner, cancel);
        foreach (var node in tree.Below(name))
        {
            if (mailbox.Viewer == mailbox.Owner
                || ((await StateAsync(tree.KeyOf(node), cancel)).RightsOf(mailbox.Viewer, mailbox.Owner) & Rights.Lookup) != 0)
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>How many mailboxes an account has.</summary>
    public async Task<int> CountAsync(string account, CancellationToken cancel) => (await _trees.GetAsync(account, cancel)).Count;

    /// <summary>Opens a mailbox with its messages, caught up with other nodes. Needs <see cref="Rights.Read"/>.</summary>
    public async Task<Result<OpenMailbox>> OpenAsync(string account, string name, CancellationToken cancel)
    {
        if (Past.Has(name))
            return await Past.OpenAsync(account, name, cancel);
        try
        {
            var (mailbox, rejection) = await LocateAsync(account, name, Rights.Read, cancel);
            return rejection is not null ? rejection
                : await _live.OpenAsync(mailbox, cancel) is { } open ? open
                : Rejection.MailboxMissing;
        }
        catch (DamagedStreamException)
        {
            return Rejection.Damaged;
        }
    }

    /// <summary>The mailbox of this name for somebody who may do this with it: for APPEND, before the message is taken in.</summary>
    /// <param name="needed">Asked once more when it is used.</param>
    public async ValueTask<Result<MailboxRef>> LocateAsync(string account, string name, Rights needed, CancellationToken cancel)
    {
        if (Past.Refuse(name, needed) is { } past)
            return past;
        if (await ResolveAsync(account, name, cancel) is not { } mailbox)
            return Rejection.MailboxMissing;
        // Owners have all rights, whatever the mailbox's state.
        return mailbox.Owner != account && mailbox.Refuse(await StateAsync(mailbox.Key, cancel), needed) is { } rejection ? rejection : mailbox;
    }

    /// <summary>Whose mailbox a name means, whatever the account may do with it; null when there is none.</summary>
    internal async ValueTask<MailboxRef?> ResolveAsync(string account, string name, CancellationToken cancel)
    {
        name = MailboxName.Canonical(name);
        if (name == MailboxName.Inbox)
            return await _trees.InboxAsync(account, cancel) is { } inbox ? new(inbox, account, "") : null;
        var own = await _trees.GetAsync(account, cancel);
        // Before the namespace was there, somebody may have called a mailbox so.
        if (own.Find(name) is { } node)
            return new(own.KeyOf(node), account, "");
        if (!OtherUsers.IsReserved(name))
            return null;
        var place = await _others.PlaceAsync(account, name, cancel);
        if (place.Owner is not { } owner)
            return null;
        var tree = await _trees.GetAsync(owner, cancel);
        return tree.Find(place.Name) is { } shared ? new(tree.KeyOf(shared), account, place.Prefix) : null;
    }

    internal async ValueTask<MailboxState> StateAsync(StreamKey mailbox, CancellationToken cancel) =>
        (MailboxState)(await _executor.RefreshAsync(MailboxKind.Stream(mailbox), cancel)).State;

    /// <summary>CREATE with missing parents (RFC 9051 §6.3.4). A trailing "/" is ignored.</summary>
    /// <param name="specialUse">RFC 6154 CREATE-SPECIAL-USE, or null.</param>
    public async Task<Result<MailboxEntry>> CreateAsync(
        string account, string name, string? specialUse, Actor actor, string? cause, CancellationToken cancel)
    {
        if (Past.Refuse(name, Rights.Create) is { } past)
            return past;
        var place = await _others.PlaceAsync(account, name, cancel);
        if (await MayMakeAsync(account, place, cancel) is { } refused)
            return refused;
        // RFC 6154 §3: what a mailbox is for, its owner says.
        if (!place.IsOwn && specialUse is not null)
            return Rejection.SpecialUse;
        if (await _hierarchy.CreateAsync(place.Owner!, account, place.Name, specialUse, actor.Because(cause), cancel) is { } rejection)
            return rejection;
        return await FindAsync(account, place.Prefix + MailboxName.ForCreation(place.Name).Value!, cancel, Rights.None);
    }

    // RFC 4314 §4: "k" on the nearest mailbox above; the command asks again. Whoever lacks it learns nothing of what is there.
    private async ValueTask<Rejection?> MayMakeAsync(string account, MailboxPlace place, CancellationToken cancel)
    {
        if (place.IsOwn)
            return null;
        if (place.Owner is not { } owner || place.Name.Length == 0)
            return Rejection.NoPermission;
        var tree = await _trees.GetAsync(owner, cancel);
        if (MailboxHierarchy.Above(tree, place.Name) is not { } above)
            return Rejection.NoPermission;
        var state = await StateAsync(tree.KeyOf(above), cancel);
        return (state.RightsOf(account, owner) & Rights.Create) == 0 ? Rejection.NoPermission : null;
    }

    /// <summary>DELETE: the mailbox and its messages; mailboxes below it stay (RFC 9051 §6.3.5).</summary>
    public async Task<Result<Unit>> DeleteAsync(string account, string name, Actor actor, string? cause, CancellationToken cancel)
    {
        var (mailbox, rejection) = await LocateAsync(account, name, Rights.DeleteMailbox, cancel);
        return rejection ?? await RunAsync<Unit>(new DeleteCommand(mailbox, actor.Because(cause)), cancel);
    }

    // A mailbox that was called so before the namespace was there can be given another name, as can all of them at once.
    private async ValueTask<MailboxPlace> SourceAsync(string account, string name, CancellationToken cancel)
    {
        name = MailboxName.Canonical(name);
        if (OtherUsers.IsReserved(name) && await _trees.GetAsync(account, cancel) is var own && (own.Find(name) is not null || own.Below(name).Any()))
            return new(account, "", name);
        return await _others.PlaceAsync(account, name, cancel);
    }

    /// <summary>RENAME with everything below it; renaming INBOX moves its messages (RFC 9051 §6.3.6).</summary>
    public async Task<Result<Unit>> RenameAsync(
        string account, string from, string to, Actor actor, string? cause, CancellationToken cancel)
    {
        if ((Past.Refuse(from, Rights.DeleteMailbox) ?? Past.Refuse(to, Rights.Create)) is { } past)
            return past;
        var (source, target) = (await SourceAsync(account, from, cancel), await _others.PlaceAsync(account, to, cancel));
        if (!source.IsOwn && (await LocateAsync(account, from, Rights.DeleteMailbox, cancel)).Rejection is { } missing)
            return missing;
        if (await MayMakeAsync(account, target, cancel) is { } refused)
            return refused;
        // A mailbox's stream is its account's; and only its owner's INBOX is emptied by renaming it.
        if (source.Owner != target.Owner || (!source.IsOwn && source.Name == MailboxName.Inbox))
            return new Rejection(RejectionKind.CannotChange, "A mailbox stays with its account");
        return await _hierarchy.RenameAsync(source.Owner!, account, source.Name, target.Name, actor.Because(cause), cancel) is { } rejection
            ? rejection
            : default(Unit);
    }

    /// <summary>The subscribed names, sorted; a name may be subscribed while no mailbox has it.</summary>
    public Task<IReadOnlyList<string>> SubscriptionsAsync(string account, CancellationToken cancel) => _subscriptions.Read(account, cancel);

    /// <param name="on">SUBSCRIBE or UNSUBSCRIBE.</param>
    public async Task<Result<Unit>> SubscribeAsync(
        string account, string name, bool on, Actor actor, string? cause, CancellationToken cancel)
    {
        if (on && Past.Refuse(name, Rights.Write) is { } past)
            return past;
        // A name that could be no mailbox's may still be taken off the list.
        var valid = MailboxName.ForCreation(name);
        if (on && valid.Rejection is { } rejection)
            return rejection;
        return await _subscriptions.Write(account, valid.Value ?? name, on, actor, cause, cancel);
    }

    /// <summary>
    /// APPEND of one message or, all or nothing, of several (MULTIAPPEND). Queued when the method returns: of two calls one after the
    /// other the first gets the lower UIDs, also when its outcome is not awaited in between.
    /// </summary>
    /// <param name="mailbox">Of <see cref="LocateAsync"/>.</param>
    public Task<Result<AppendResult>> AppendAsync(
        MailboxRef mailbox, IReadOnlyList<AppendMessage> messages, Actor actor, string? cause, CancellationToken cancel) =>
        RunAsync<AppendResult>(new AppendCommand(mailbox, messages, QuotaOf(mailbox, actor), actor.Because(cause)), cancel);

    /// <summary>The operator brings a message from elsewhere: as APPEND, and beyond the quota where that is wanted.</summary>
    /// <param name="mailbox">Of <see cref="LocateAsync"/>.</param>
    public Task<Result<AppendResult>> ImportAsync(
        MailboxRef mailbox, AppendMessage message, bool ignoreQuota, Actor actor, string? cause, CancellationToken cancel) =>
        RunAsync<AppendResult>(new AppendCommand(mailbox, [message], ignoreQuota ? null : QuotaOf(mailbox, actor), actor.Because(cause)), cancel);

    /// <summary>REPLACE (RFC 8508): the message comes into the one mailbox, the other one's leaves it; one transaction.</summary>
    /// <param name="uid">Of the message that goes, whatever its flags.</param>
    /// <param name="destination">Of <see cref="LocateAsync"/>.</param>
    public Task<Result<AppendResult>> ReplaceAsync(
        OpenMailbox source, uint uid, MailboxRef destination, AppendMessage message, Actor actor, string? cause, CancellationToken cancel) =>
        RunAsync<AppendResult>(
            new ReplaceCommand(
                source.Ref, uid, destination, message, _views, QuotaOf(destination, actor), actor.Because(cause)), cancel);

    /// <summary>APPEND of one message by its mailbox's name.</summary>
    public async Task<Result<AppendResult>> AppendAsync(
        string account, string name, StagedContent content, IReadOnlyList<string> flags, DateTimeOffset internalDate,
        Actor actor, string? cause, CancellationToken cancel)
    {
        var (mailbox, rejection) = await LocateAsync(account, name, Rights.Insert, cancel);
        return rejection ?? await AppendAsync(mailbox, [new(content, flags, internalDate)], actor, cause, cancel);
    }

    /// <summary>STORE. UIDs that are gone are passed over.</summary>
    /// <param name="unchangedSince">RFC 7162 UNCHANGEDSINCE, or null.</param>
    public Task<Result<StoreResult>> StoreAsync(
        OpenMailbox mailbox, UidSet uids, StoreMode mode, IReadOnlyList<string> flags, long? unchangedSince,
        Actor actor, string? cause, CancellationToken cancel) =>
        RunAsync<StoreResult>(
            new StoreCommand(mailbox.Ref, _views, _history, uids, mode, flags, unchangedSince, actor.Because(cause)), cancel);

    /// <summary>
    /// Which of these UIDs were expunged after a MODSEQ and up to a view's (RFC 7162 VANISHED): from the log, so exact and however
    /// long ago.
    /// </summary>
    public Task<UidSet> VanishedAsync(
        OpenMailbox mailbox, MailboxView view, UidSet among, long modSeq, CancellationToken cancel) =>
        _history.VanishedAsync(mailbox.Ref.Key, view, among, modSeq, cancel);

    /// <summary>COPY, or MOVE: both mailboxes in one transaction. A missing destination is <see cref="Rejection.MailboxMissing"/>.</summary>
    public async Task<Result<CopyResult>> CopyAsync(
        OpenMailbox source, UidSet uids, string destination, bool move, Actor actor, string? cause, CancellationToken cancel)
    {
        var (target, rejection) = await LocateAsync(source.Viewer, destination, Rights.Insert, cancel);
        if (rejection is not null)
            return rejection;
        var quota = QuotaOf(target, actor);
        if (!source.IsPast)
            return await RunAsync<CopyResult>(new CopyCommand(source.Ref, uids, target, move, _views, quota, actor.Because(cause)), cancel);
        if (move)
            return PastNamespace.ReadOnly;
        return await PastContents.FirstGoneAsync(_log.DataSource, source.View, uids, cancel) is { } gone
            ? new Rejection(RejectionKind.Gone, $"The content of the message with UID {gone} is not kept any more")
            : await RunAsync<CopyResult>(new RescueCommand(source, uids, target, quota, new(_log.DataSource), actor.Because(cause)), cancel);
    }

    /// <summary>EXPUNGE: messages with \Deleted, all or only these (UID EXPUNGE). Answers what went.</summary>
    public Task<Result<UidSet>> ExpungeAsync(
        OpenMailbox mailbox, UidSet? only, Actor actor, string? cause, CancellationToken cancel) =>
        RunAsync<UidSet>(new ExpungeCommand(mailbox.Ref, _views, only, deletedOnly: true, actor.Because(cause)), cancel);

    /// <summary>POP3's QUIT: these messages whatever their flags, as one event. Answers what went.</summary>
    public Task<Result<UidSet>> RemoveAsync(
        OpenMailbox mailbox, UidSet uids, Actor actor, string? cause, CancellationToken cancel) =>
        RunAsync<UidSet>(new ExpungeCommand(mailbox.Ref, _views, uids, deletedOnly: false, actor.Because(cause)), cancel);

    /// <summary>Tells the log of a quota that a command was refused for.</summary>
    internal void NoteRefusal(Outcome outcome)
    {
        if (outcome is { Rejection: not null, Result: QuotaRefusal full })
            _quotaLog.QuotaExceeded(full.Account, full.Address, full.Usage, full.Size);
    }

    /// <summary>The account's mailboxes for the command that closes it.</summary>
    public async Task<ClosedAccountMailboxes> ClosingAsync(string account, CancellationToken cancel)
    {
        var tree = await _trees.ReloadAsync(account, cancel);
        return new([.. tree.Sorted.Select(tree.KeyOf)]);
    }

    // The owner's quota, whoever fills it.
    private QuotaCheck QuotaOf(MailboxRef mailbox, Actor actor) => new(
        _quota, mailbox.Owner, mailbox.Prefix.Length > 0 ? OtherUsers.AddressIn(mailbox.Prefix) : actor.UserName ?? "");

    internal async Task<Result<T>> RunAsync<T>(Command command, CancellationToken cancel)
    {
        Outcome outcome;
        try
        {
            outcome = await _executor.ExecuteAsync(command, cancel);
        }
        catch (DamagedStreamException)
        {
            return Rejection.Damaged;
        }
        NoteRefusal(outcome);
        return outcome.Rejection switch
        {
            null => outcome.Result is T answer ? answer : throw new InvalidOperationException($"{command.GetType().Name} has no answer"),
            Rejection rejection => rejection,
            var other => throw new InvalidOperationException($"{command.GetType().Name} was refused with {other}"),
        };
    }

    /// <summary>Stops following. What is claimed as \Recent is written; the executor must still run.</summary>
    public async ValueTask DisposeAsync()
    {
        _following.Dispose();
        _listening.Dispose();
        await _live.DisposeAsync();
        await _snapshots.DisposeAsync();
    }
}
